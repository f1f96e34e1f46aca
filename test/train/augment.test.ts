import { describe, expect, it } from "vitest";
import { type Augment, augmentDraws, augmenter, type ImageShape } from "../../src/train/augment.js";
import { Random } from "../random.js";

/** What becomes of a plane of text, one digit a pixel, where chance gives `numbers` in turn. */
function changed(augment: Augment, rows: readonly string[], ...numbers: number[]): string[] {
  const shape: ImageShape = [1, rows.length, rows[0].length];
  const image = Float32Array.from(rows.join(""), Number);
  augmenter(augment, shape, [9])!(image, () => numbers.shift()!);
  return rows.map((row, i) => image.subarray(i * row.length, (i + 1) * row.length).join(""));
}

const ROWS = ["123", "456", "780"];

describe("augmenter", () => {
  it("is none where nothing is to change", () => {
    expect(augmenter({ shift: 0 }, [1, 3, 3], [0])).toBeUndefined();
  });

  it("takes as many numbers for each image as it says, whatever chance gives", () => {
    const random = new Random(1);
    for (const augment of [{ flip: true }, { rotate: 3 }, { shift: 2 }, { flip: true, rotate: 3, shift: 2 }]) {
      const change = augmenter(augment, [2, 3, 3], [0, 0])!;
      for (let i = 0; i < 50; i++) {
        let taken = 0;
        change(new Float32Array(18), () => {
          taken++;
          return random.unit();
        });
        expect(taken).toBe(augmentDraws(augment));
      }
    }
    expect(augmentDraws({ shift: 0, rotate: 0, flip: false })).toBe(0);
  });

  it("moves by up to so many pixels, and fills with paper", () => {
    expect(changed({ shift: 1 }, ROWS, 0.99, 0.5)).toEqual(["912", "945", "978"]);
    expect(changed({ shift: 1 }, ROWS, 0, 0.5)).toEqual(["239", "569", "809"]);
    expect(changed({ shift: 1 }, ROWS, 0.5, 0.99)).toEqual(["999", "123", "456"]);
    expect(changed({ shift: 1 }, ROWS, 0.5, 0)).toEqual(["456", "780", "999"]);
    expect(changed({ shift: 2 }, ROWS, 0.99, 0)).toEqual(["997", "999", "999"]);
    expect(changed({ shift: 3 }, ROWS, 0.99, 0.5)).toEqual(["999", "999", "999"]);
  });

  it("mirrors every other image", () => {
    expect(changed({ flip: true }, ROWS, 0.49)).toEqual(["321", "654", "087"]);
    expect(changed({ flip: true }, ROWS, 0.5)).toEqual(ROWS);
  });

  it("turns about the middle, by as much as chance says", () => {
    const image = new Float32Array(21 * 21);
    image[10 * 21 + 18] = 1; // eight to the right of the middle
    augmenter({ rotate: 45 }, [1, 21, 21], [0])!(image, () => 1);
    const at = image.indexOf(Math.max(...image));
    const [right, down] = [(at % 21) - 10, Math.floor(at / 21) - 10];
    expect(Math.abs(right)).toBe(6);
    expect(Math.abs(down)).toBe(6);
    expect(image.reduce((sum, pixel) => sum + pixel, 0)).toBeCloseTo(1, 0);
    const same = Float32Array.from({ length: 25 }, (_, i) => i);
    augmenter({ rotate: 45 }, [1, 5, 5], [0])!(same, () => 0.5);
    expect([...same]).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });

  it("turns to where sine and cosine say", () => {
    // A plane that rises to the right is its own gradient: what stands in the middle's row after a turn is the cosine.
    const side = 101;
    const image = Float32Array.from({ length: side * side }, (_, i) => (i % side) - 50);
    augmenter({ rotate: 30 }, [1, side, side], [0])!(image, () => 1);
    expect(image[50 * side + 60]).toBeCloseTo(10 * Math.cos(Math.PI / 6), 4);
    expect(Math.abs(image[60 * side + 50])).toBeCloseTo(10 * Math.sin(Math.PI / 6), 4);
  });

  it("treats channels alike", () => {
    const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    augmenter({ shift: 1 }, [2, 2, 2], [0, -1])!(image, () => 0.99);
    expect([...image]).toEqual([0, 0, 0, 1, -1, -1, -1, 5]);
  });
});
