import { describe, expect, it } from "vitest";
import type { NetworkSpec } from "../../src/network/spec.js";
import { FormatError, loadNetwork } from "../../src/run/index.js";
import { craftArchive, floats, tensorOf } from "../archive/craft.js";
import { subjectOf } from "./networks.js";

const SPEC: NetworkSpec = {
  input: [1, 4, 4],
  layers: [
    { type: "conv2d", name: "conv", in: 1, out: 2, kernel: 3 },
    { type: "batchnorm", name: "bn", features: 2 },
    { type: "flatten" },
    { type: "linear", name: "fc", in: 8, out: 3 },
  ],
};
const { archive } = subjectOf(SPEC);

/** Zeros around one number, more than any memory should be taken for. */
const PADDED: NetworkSpec = {
  input: [1, 1, 1],
  layers: [{ type: "conv2d", name: "conv", in: 1, out: 1, kernel: 1, padding: 8000 }, { type: "flatten" }],
};

const raw = (name: string, shape: readonly number[]) =>
  ({ ...floats(name, [...shape], new Float32Array(shape.reduce((product, axis) => product * axis, 1))), coding: "raw" }) as const;
const tensors = [
  raw("conv.weight", [2, 1, 3, 3]),
  raw("conv.bias", [2]),
  ...["weight", "bias", "running_mean", "running_var"].map((part) => raw(`bn.${part}`, [2])),
  raw("fc.weight", [3, 8]),
  raw("fc.bias", [3]),
];

/** An archive without a tensor, or with another in its place. */
const without = (name: string, ...others: Parameters<typeof craftArchive>[0]): Uint8Array =>
  craftArchive([...tensors.filter((tensor) => tensor.name !== name), ...others]);

const failureOf = (...args: readonly unknown[]): Promise<unknown> =>
  (loadNetwork as (...args: readonly unknown[]) => Promise<unknown>)(...args).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("loadNetwork refuses", () => {
  it.each([
    ["no archive", [undefined, SPEC], TypeError, /archive/],
    [
      "a source that was not opened",
      [{ byteLength: 1, read: () => undefined, close: () => undefined }, SPEC],
      TypeError,
      /archive must be bytes, or an/,
    ],
    ["no network", [archive], TypeError, /spec/],
    ["text for a network", [archive, JSON.stringify(SPEC)], TypeError, /spec/],
    ["a layer of no known type", [archive, { ...SPEC, layers: [{ type: "gelu" }] }], TypeError, /layers\[0\].*"gelu"/],
    ["a variant that is none", [archive, SPEC, { variant: "fast" }], TypeError, /variant/],
    ["softmax that is no truth value", [archive, SPEC, { softmax: 1 }], TypeError, /softmax/],
    ["maxBytes that is no number", [archive, SPEC, { maxBytes: "1G" }], TypeError, /maxBytes must be a number/],
    ["maxBytes below 0", [archive, SPEC, { maxBytes: -1 }], RangeError, /maxBytes must be in \[0, Infinity\], got -1/],
    ["maxBytes that is NaN", [archive, SPEC, { maxBytes: Number.NaN }], RangeError, /maxBytes/],
    [
      "activations beyond maxBytes",
      [archive, SPEC, { maxBytes: 500 }],
      RangeError,
      /layers\[0\] \(conv\) takes the activations of the network beyond maxBytes, 500: with all its layers they need \d+ bytes/,
    ],
    [
      "activations beyond 1 GiB, unless they are allowed, before it looks at the archive",
      [Uint8Array.of(1, 2, 3), PADDED],
      RangeError,
      /layers\[1\] \(flatten\) takes .* beyond maxBytes, 1073741824: .* need 1536256512 bytes/,
    ],
    [
      "a sample that is larger alone",
      [archive, { input: [256, 1024, 1024], layers: [{ type: "relu" }, { type: "flatten" }] }],
      RangeError,
      /^the input takes .* beyond maxBytes/,
    ],
    [
      "layers that do not meet",
      [archive, { ...SPEC, input: [1, 5, 5] }],
      RangeError,
      /layers\[3\] \(fc\) takes 8 inputs, but layers\[2\] \(flatten\) before it gives 18/,
    ],
    [
      "an archive without the weights",
      [without("fc.weight"), SPEC],
      RangeError,
      /layers\[3\] \(fc\) needs the tensor "fc.weight", which the/,
    ],
    ["an archive without the bias", [without("conv.bias"), SPEC], RangeError, /layers\[0\] \(conv\) needs the tensor "conv.bias"/],
    [
      "an archive without a variance",
      [without("bn.running_var"), SPEC],
      RangeError,
      /layers\[1\] \(bn\) needs the tensor "bn.running_var"/,
    ],
    [
      "weights of another shape",
      [without("conv.weight", raw("conv.weight", [2, 1, 9])), SPEC],
      RangeError,
      /layers\[0\] \(conv\) needs the tensor "conv.weight" of shape \[2,1,3,3\], which has \[2,1,9\]/,
    ],
    [
      "weights that are not of floats",
      [without("fc.weight", { ...tensorOf("fc.weight", "I32", [3, 8], new Uint8Array(96)), coding: "raw" }), SPEC],
      RangeError,
      /layers\[3\] \(fc\) needs the tensor "fc.weight" of floats, which the archive has in I32/,
    ],
  ] as const)("%s", async (_, args, error, message) => {
    const failure = await failureOf(...args);
    expect(failure).toBeInstanceOf(error);
    expect((failure as Error).message).toMatch(message);
  });

  it("an archive that is cut off anywhere", async () => {
    for (let length = 0; length < archive.length; length += 7)
      expect(await failureOf(archive.slice(0, length), SPEC), `${length} bytes`).toBeInstanceOf(FormatError);
    expect(await failureOf(archive, SPEC)).toBeUndefined();
  });

  it("to go on where its signal stops it", async () => {
    const reason = new Error("enough");
    expect(await failureOf(archive, SPEC, { signal: AbortSignal.abort(reason) })).toBe(reason);
  });
});

describe("a network refuses", () => {
  const detached = (): Float32Array => {
    const values = new Float32Array(16);
    structuredClone(values.buffer, { transfer: [values.buffer] });
    return values;
  };
  const shared = new Float32Array(19);

  it.each([
    ["x of another length", () => [new Float32Array(15), new Float32Array(3)], RangeError, /x must have 16 numbers, got 15/],
    ["y of another length", () => [new Float32Array(16), new Float32Array(4)], RangeError, /y must have 3 numbers, got 4/],
    ["x that is missing", () => [undefined, new Float32Array(3)], TypeError, /x must be a Float32Array/],
    ["x whose buffer was detached", () => [detached(), new Float32Array(3)], RangeError, /x must have 16 numbers.*detached/],
    ["x and y that overlap", () => [shared.subarray(0, 16), shared.subarray(15, 18)], RangeError, /x and y/],
  ] as const)("%s, and writes nothing", async (_, args, error, message) => {
    const network = await loadNetwork(archive, SPEC);
    const given = args() as [Float32Array, Float32Array];
    given[1].fill(7);
    const before = given[1].slice();
    expect(() => network.run(...given)).toThrow(error);
    expect(() => network.run(...given)).toThrow(message);
    expect(given[1]).toEqual(before);
  });

  it.each([
    ["n that is no integer", () => [new Float32Array(32), 1.5], TypeError, /n must be an integer/],
    ["n below 0", () => [new Float32Array(0), -1], RangeError, /n must be/],
    ["X of another length", () => [new Float32Array(31), 2], RangeError, /X must have 32 numbers/],
    ["Y of another length", () => [new Float32Array(32), 2, new Float32Array(7)], RangeError, /Y must have 6 numbers/],
    ["X and Y that overlap", () => [shared.subarray(0, 16), 1, shared.subarray(0, 3)], RangeError, /X and Y/],
  ] as const)("%s", async (_, args, error, message) => {
    const network = await loadNetwork(archive, SPEC);
    const given = args() as unknown as [Float32Array, number, Float32Array?];
    expect(() => network.runBatch(...given)).toThrow(error);
    expect(() => network.runBatch(...given)).toThrow(message);
  });

  it("everything once it was disposed", async () => {
    const network = await loadNetwork(archive, SPEC);
    network.dispose();
    network.dispose();
    expect(() => network.run(new Float32Array(16))).toThrow(/disposed/);
    expect(() => network.runBatch(new Float32Array(16), 1)).toThrow(TypeError);
    expect(() => network.byteLength).toThrow(/disposed/);
  });
});

describe("loadNetwork, where memory is short,", () => {
  it("says that the network takes more than there is", async () => {
    const spec: NetworkSpec = {
      input: [256, 1024, 1024],
      layers: [{ type: "conv2d", name: "conv", in: 256, out: 1, kernel: 3, stride: 3, padding: 1500, bias: false }, { type: "flatten" }],
    };
    const failure = await failureOf(craftArchive([raw("conv.weight", [1, 256, 3, 3])]), spec, { maxBytes: Infinity });
    expect(failure).toBeInstanceOf(RangeError);
    expect((failure as Error).message).toMatch(/takes more memory than there is/);
  });
});
