import { expect, it } from "vitest";
import { outcome, repeated } from "./heap.js";
import { concat } from "./helpers.js";
import { global, makeTorchZip, ops, storage, tuple } from "./pickler.js";

// Whatever a pickle says, half a gigabyte of heap is enough to read it, and to list what it holds.

const number = ops("J", 0, 0, 0, 0);
const rebuild = global("torch._utils", "_rebuild_tensor_v2");
const view = (...shape: number[]): Uint8Array => tuple(storage({ count: 4 }), 0, tuple(...shape), tuple(...shape), false, null);

it.each<[string, string, Uint8Array, Uint8Array, Uint8Array]>([
  ["as many dictionaries as are read", "0 tensors", ops("]("), repeated(ops("}"), 1_198_000), ops("e")],
  ["more dictionaries", "LIMIT", ops("]("), repeated(ops("}NNs"), 1_500_000), ops("e")],
  ["more lists of one item", "LIMIT", ops("]("), repeated(ops("]Na"), 2_500_000), ops("e")],
  ["more keys", "LIMIT", ops("}("), repeated(ops(number, "N"), 3_700_000, 1), ops("u")],
  ["more places in the memo", "LIMIT", ops(), repeated(ops("N", 0x94), 5_000_000), ops()],
  ["more numbers", "LIMIT", ops("]("), repeated(ops("G", 0x3f, 0xf1, 0, 0, 0, 0, 0, 0), 13_000_000, 5), ops("e")],
  ["as many references as are read to one object", "0 tensors", ops("}q", 0, "0]("), repeated(ops("h", 0), 12_580_000), ops("e")],
  [
    "more tensors of many axes",
    "LIMIT",
    ops(rebuild, "q", 0, "0", view(...Array(64).fill(1)), "q", 1, "0]("),
    repeated(ops("h", 0, "h", 1, "R"), 1_000_000),
    ops("e"),
  ],
  ["objects in objects", "LIMIT", ops("N"), repeated(ops(0x85), 2_000_000), ops()],
  [
    "more storages without tensors",
    "LIMIT",
    ops(tuple("storage", global("torch", "FloatStorage"), "0", "cpu", 4), "q", 0, "0]("),
    repeated(ops("h", 0, "Q"), 100_000),
    ops("e"),
  ],
])("%s take no more than half a gigabyte: %s", async (_, wanted, before, many, after) => {
  expect(await outcome(makeTorchZip(concat(before, many, after), { 0: new Uint8Array(16) }))).toBe(wanted);
});
