import { FormatError } from "../errors.js";
import type { Dtype } from "../types.js";
import { UNITS_OF_ENTRY } from "./pickle-stack.js";
import {
  type PickleCall,
  PickleDict,
  type PickleFunction,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleOpaque,
  PickleTuple,
  type PickleValue,
} from "./pickle-values.js";
import { type Strided, stridedOf, TorchStorageRef, TorchTensor } from "./pytorch-values.js";

// The names that a file of PyTorch may ask for. Each stands for a plain value or for a function of this module: nothing of
// Python is loaded or run. What torch.load(weights_only=True) allows is here but for what needs another library, and a few
// names of the standard library and of numpy that checkpoints have beside their weights.

/** Elements of the typed storages. Those of quantised tensors are the integers that are stored. */
const STORAGE_DTYPES: Readonly<Record<string, Dtype>> = {
  "torch.DoubleStorage": "F64",
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
  "torch.ComplexFloatStorage": "C64",
  "torch.ComplexDoubleStorage": "C128",
  "torch.QInt8Storage": "I8",
  "torch.QUInt8Storage": "U8",
  "torch.QInt32Storage": "I32",
  "torch.UntypedStorage": "U8",
  "torch.storage.UntypedStorage": "U8",
};

/** Dtypes that a tensor on an untyped storage names. */
const DTYPES: Readonly<Record<string, Dtype>> = {
  "torch.float64": "F64",
  "torch.float32": "F32",
  "torch.float16": "F16",
  "torch.bfloat16": "BF16",
  "torch.int64": "I64",
  "torch.int32": "I32",
  "torch.int16": "I16",
  "torch.int8": "I8",
  "torch.uint64": "U64",
  "torch.uint32": "U32",
  "torch.uint16": "U16",
  "torch.uint8": "U8",
  "torch.bool": "BOOL",
  "torch.complex64": "C64",
  "torch.complex128": "C128",
  "torch.float8_e4m3fn": "F8_E4M3",
  "torch.float8_e5m2": "F8_E5M2",
  "torch.float8_e4m3fnuz": "F8_E4M3FNUZ",
  "torch.float8_e5m2fnuz": "F8_E5M2FNUZ",
  "torch.float8_e8m0fnu": "F8_E8M0",
};

function corrupt(detail: string, { offset, where }: PickleCall): never {
  throw new FormatError("CORRUPT", offset, where + detail);
}

/** The dtype of elements in a storage of that class, undefined for what is no class of storages. */
export function storageDtype(value: PickleValue | undefined): Dtype | undefined {
  return value instanceof PickleGlobal ? ownOf(STORAGE_DTYPES, value.name) : undefined;
}

function ownOf<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** What a tensor takes, and what says later where it is and how it is called, in units of memory. */
const UNITS_OF_TENSOR = 64;

/** A view of a storage, paid for. */
function tensorOn(ref: TorchStorageRef, dtype: Dtype, place: Strided, at: PickleCall): TorchTensor {
  at.spend(UNITS_OF_TENSOR + place.shape.length);
  return new TorchTensor(ref, dtype, place, at);
}

function storageOf(value: PickleValue, at: PickleCall): TorchStorageRef {
  return value instanceof TorchStorageRef ? value : corrupt("a tensor without a storage", at);
}

/** `_rebuild_tensor` and `_rebuild_tensor_v2`: the elements are those of the storage. */
const rebuildTensor: PickleFunction = ([storage = null, first = null, shape = null, strides = null], at) => {
  const ref = storageOf(storage, at);
  return tensorOn(ref, ref.dtype, stridedOf(first, shape, strides, at), at);
};

/** `_rebuild_tensor_v3`: a tensor that says its dtype. */
const rebuildTyped: PickleFunction = ([storage = null, first = null, shape = null, strides = null, , , dtype = null], at) => {
  const ref = storageOf(storage, at);
  const place = stridedOf(first, shape, strides, at);
  const name = dtype instanceof PickleGlobal ? dtype.name : corrupt("a tensor without a dtype", at);
  const known = ownOf(DTYPES, name);
  if (known) return tensorOn(ref, known, place, at);
  if (name !== "torch.complex32") throw new FormatError("UNSUPPORTED", at.offset, `${at.where}a tensor of ${name}`);
  // Two halves an element, which are an axis more.
  const halves = { first: 2 * place.first, shape: [...place.shape, 2], strides: [...place.strides.map((stride) => 2 * stride), 1] };
  return tensorOn(ref, "F16", halves, at);
};

/** A parameter is its tensor. */
const firstArgument: PickleFunction = ([value = null]) => value;

/** `_rebuild_from_type_v2(function, class, arguments, state)`: a tensor that has attributes. */
const rebuildFromType: PickleFunction = ([rebuild = null, , args = null], at) => {
  if (!(rebuild instanceof PickleGlobal) || !REBUILDERS.has(rebuild.name) || !rebuild.call || !(args instanceof PickleTuple)) {
    return corrupt("a tensor with attributes that nothing makes", at);
  }
  return rebuild.call(args.items, at);
};

/** `_rebuild_sparse_tensor(layout, (indices, values, …))`: the tensors that it is made of, by their place. */
const rebuildSparse: PickleFunction = ([, parts = null]) => parts;

const dictionary: PickleFunction = ([from = null], at) => {
  const dict = new PickleDict();
  if (from === null) return dict;
  if (from instanceof PickleDict) {
    at.spend(UNITS_OF_ENTRY * from.entries.size);
    for (const [key, value] of from.entries) dict.entries.set(key, value);
    return dict;
  }
  if (!(from instanceof PickleList)) return corrupt("a dictionary of what is no list", at);
  at.spend(UNITS_OF_ENTRY * from.items.length);
  for (const pair of from.items) {
    const items = pair instanceof PickleTuple || pair instanceof PickleList ? pair.items : [];
    if (items.length !== 2) corrupt("a dictionary of what are no pairs", at);
    dict.entries.set(items[0], items[1]);
  }
  return dict;
};

/** Sets and lists: what is in them is looked at where it stands already, in the list or tuple that they are made of. */
const asItIs: PickleFunction = ([items = null]) => items ?? new PickleList();

const REBUILDERS: ReadonlyMap<string, PickleFunction> = /* @__PURE__ */ new Map([
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_tensor_v3", rebuildTyped],
  ["torch._utils._rebuild_qtensor", rebuildTensor],
  ["torch._utils._rebuild_parameter", firstArgument],
  ["torch._utils._rebuild_parameter_with_state", firstArgument],
  ["torch._utils._rebuild_sparse_tensor", rebuildSparse],
]);

const CONTAINERS: ReadonlyMap<string, PickleFunction> = /* @__PURE__ */ new Map<string, PickleFunction>([
  ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
  ["torch.nn.parameter.Parameter", firstArgument],
  ["torch.Size", asItIs],
  ["collections.OrderedDict", dictionary],
  ["collections.Counter", dictionary],
  // Its first argument makes the values that are missing.
  ["collections.defaultdict", ([, ...rest], at) => dictionary(rest, at)],
  ["builtins.dict", dictionary],
  ["builtins.list", asItIs],
  ["builtins.set", asItIs],
  ["builtins.frozenset", asItIs],
  ["argparse.Namespace", () => new PickleObject()],
]);

/** Calling these gives a value that is of no interest. */
const OPAQUE: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["torch.device", "torch.serialization._get_layout", "torch._utils._rebuild_meta_tensor_no_storage"],
  ...["_codecs.encode", "builtins.bytearray", "builtins.complex"],
  ...["pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath"],
  ...["numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"],
  ...["numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"],
]);

/** Names that are arguments, and never called. */
const NAMES: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["torch.Tensor", "torch.complex32", "torch.storage.TypedStorage", "numpy.ndarray"],
  ...["torch.qint8", "torch.quint8", "torch.qint32"],
  ...["torch.per_tensor_affine", "torch.per_tensor_symmetric", "torch.per_channel_affine", "torch.per_channel_symmetric"],
  ...["torch.per_channel_affine_float_qparams", "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.tuple"],
]);

/** The allow-list: what a name of Python stands for, undefined for all that are not on it. */
export function torchGlobal(name: string): PickleGlobal | undefined {
  const call = REBUILDERS.get(name) ?? CONTAINERS.get(name);
  if (call) return new PickleGlobal(name, call);
  if (OPAQUE.has(name)) return new PickleGlobal(name, () => new PickleOpaque(name));
  const known = NAMES.has(name) || Object.hasOwn(STORAGE_DTYPES, name) || Object.hasOwn(DTYPES, name);
  return known ? new PickleGlobal(name) : undefined;
}
