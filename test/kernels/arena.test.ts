import { describe, expect, it } from "vitest";
import { Arena, at, toPtr } from "../../src/kernels/arena.js";
import { crc32cAt } from "../../src/kernels/crc32c.js";
import { loadEngine, newEngine } from "../../src/kernels/engine.js";
import { adopt, type ModuleExports } from "../../src/kernels/module.js";
import { chooseVariant, hasSimd } from "../../src/kernels/variant.js";
import { crc32c as reference } from "../../src/reference/index.js";

const GIB = 2 ** 30;

function arenaOf(maximum: number, base = 1024): { memory: WebAssembly.Memory; arena: Arena } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum });
  return { memory, arena: new Arena(memory, base) };
}

describe("Arena", () => {
  it("starts at the base, rounded up to 16", () => {
    expect(arenaOf(1, 1024).arena.alloc(1)).toBe(1024);
    expect(arenaOf(1, 1025).arena.alloc(1)).toBe(1040);
  });

  it("lends disjoint, 16-aligned buffers", () => {
    const { arena } = arenaOf(16);
    let end = 1024;
    for (const byteLength of [0, 1, 15, 16, 17, 100, 65536]) {
      const ptr = arena.alloc(byteLength);
      expect(ptr % 16).toBe(0);
      expect(ptr).toBeGreaterThanOrEqual(end);
      end = ptr + byteLength;
    }
  });

  it("keeps 64 bytes of memory after the last allocation", () => {
    for (let byteLength = 65536 - 1024 - 100; byteLength < 65536 - 1024 + 20; byteLength++) {
      const { arena } = arenaOf(4);
      const ptr = arena.alloc(byteLength);
      expect(arena.byteLength - (ptr + byteLength)).toBeGreaterThanOrEqual(64);
    }
  });

  it("falls back after a scope, also from an error, and nests", () => {
    const { arena } = arenaOf(16);
    const top = arena.top;
    const inner = arena.scope(() => {
      const outer = arena.alloc(100);
      const first = arena.scope(() => arena.alloc(10));
      const second = arena.scope(() => arena.alloc(10));
      expect(second).toBe(first);
      expect(first).toBeGreaterThan(outer);
      return first;
    });
    expect(inner).toBeGreaterThan(top);
    expect(arena.top).toBe(top);
    const thrower = (): void => {
      arena.alloc(10);
      throw new Error("from within");
    };
    expect(() => arena.scope(thrower)).toThrow("from within");
    expect(arena.top).toBe(top);
  });

  it("grows once for what was reserved", () => {
    const { arena, memory } = arenaOf(64);
    arena.reserve(1 << 20);
    const buffer = memory.buffer;
    for (let i = 0; i < 16; i++) arena.alloc(65536);
    expect(memory.buffer).toBe(buffer);
  });

  it("gives views of the memory as it is after growth", () => {
    const { arena } = arenaOf(64);
    const ptr = arena.alloc(64);
    const before = arena.u8(ptr, 64).fill(7);
    arena.alloc(1 << 20);
    expect(before.length).toBe(0); // detached: why no view is kept
    expect([...arena.u8(ptr, 64)]).toEqual(new Array(64).fill(7));
    expect(arena.u16(ptr, 1)[0]).toBe(0x0707);
    expect(arena.u32(ptr, 1)[0]).toBe(0x07070707);
    arena.f32(ptr, 16)[15] = 0.5;
    arena.f64(ptr, 8)[0] = 0.25;
    expect(arena.f32(at(ptr, 60), 1)[0]).toBe(0.5);
    expect(arena.f64(ptr, 1)[0]).toBe(0.25);
  });

  it("says that it cannot grow, and is then as it was", () => {
    const { arena } = arenaOf(2);
    const top = arena.top;
    for (const byteLength of [2 * 65536, 4 * GIB]) {
      expect(() => arena.alloc(byteLength)).toThrow(RangeError);
      expect(() => arena.alloc(byteLength)).toThrow(/cannot grow the memory of the kernels from 65536 to \d+ bytes/);
    }
    expect(arena.top).toBe(top);
    expect(arena.alloc(16)).toBe(top);
  });

  it("refuses lengths that are none", () => {
    const { arena } = arenaOf(2);
    expect(() => arena.alloc(-1)).toThrow(RangeError);
    expect(() => arena.alloc(2 ** 33)).toThrow(RangeError);
    expect(() => arena.alloc(1.5)).toThrow(TypeError);
    expect(() => arena.alloc(Number.NaN)).toThrow(TypeError);
  });

  it("reaches addresses above 2 GiB, where wasm's i32 is negative", () => {
    const module = newEngine();
    const { arena } = module;
    arena.alloc(2 * GIB); // never touched, so it costs address space alone
    const ptr = arena.alloc(64);
    expect(ptr).toBeGreaterThan(2 * GIB);
    expect(toPtr(ptr | 0)).toBe(ptr);
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 37);
    arena.u8(ptr, 64).set(bytes);
    expect(crc32cAt(module, ptr, 64)).toBe(reference(bytes));
  });
});

describe("loading", () => {
  it("keeps one module a variant", () => {
    expect(loadEngine({ variant: "scalar" })).toBe(loadEngine({ variant: "scalar" }));
    expect(loadEngine({ variant: "scalar" })).not.toBe(loadEngine({ variant: "simd" }));
  });

  it("takes SIMD where the runtime has it", () => {
    expect(hasSimd()).toBe(true);
    expect(chooseVariant({})).toBe("simd");
    expect(loadEngine().variant).toBe("simd");
  });

  it("refuses a variant that is none", () => {
    expect(() => loadEngine({ variant: "mmx" as "simd" })).toThrow(TypeError);
    expect(() => loadEngine({ variant: "" as "simd" })).toThrow(/variant must be one of simd, scalar/);
  });

  it("takes a heap base above 2 GiB as an address", () => {
    const memory = new WebAssembly.Memory({ initial: 2 * (GIB / 65536) + 1, maximum: 65536 });
    const exports: ModuleExports = { memory, variant: () => 0, heapBase: () => (2 * GIB) | 0, crc32cTables: () => {}, crc32c: () => 0 };
    expect(adopt(exports).crc32cTables).toBe(2 * GIB);
  });
});
