// The opcodes of pickle, protocols 0 to 5, that files of PyTorch have: all but the text forms of numbers and strings
// (protocol 0), buffers outside of the pickle, and the registry of extensions. Names are those of Python's pickle module.

export const MARK = 0x28;
export const STOP = 0x2e;
export const POP = 0x30;
export const POP_MARK = 0x31;
export const DUP = 0x32;
export const BINBYTES = 0x42;
export const SHORT_BINBYTES = 0x43;
export const BINFLOAT = 0x47;
export const BININT = 0x4a;
export const BININT1 = 0x4b;
export const BININT2 = 0x4d;
export const NONE = 0x4e;
export const BINPERSID = 0x51;
export const REDUCE = 0x52;
export const BINSTRING = 0x54;
export const SHORT_BINSTRING = 0x55;
export const BINUNICODE = 0x58;
export const EMPTY_LIST = 0x5d;
export const APPEND = 0x61;
export const BUILD = 0x62;
export const GLOBAL = 0x63;
export const DICT = 0x64;
export const APPENDS = 0x65;
export const BINGET = 0x68;
export const INST = 0x69;
export const LONG_BINGET = 0x6a;
export const LIST = 0x6c;
export const OBJ = 0x6f;
export const BINPUT = 0x71;
export const LONG_BINPUT = 0x72;
export const SETITEM = 0x73;
export const TUPLE = 0x74;
export const SETITEMS = 0x75;
export const EMPTY_DICT = 0x7d;
export const EMPTY_TUPLE = 0x29;
export const PROTO = 0x80;
export const NEWOBJ = 0x81;
export const TUPLE1 = 0x85;
export const TUPLE2 = 0x86;
export const TUPLE3 = 0x87;
export const NEWTRUE = 0x88;
export const NEWFALSE = 0x89;
export const LONG1 = 0x8a;
export const LONG4 = 0x8b;
export const SHORT_BINUNICODE = 0x8c;
export const BINUNICODE8 = 0x8d;
export const BINBYTES8 = 0x8e;
export const EMPTY_SET = 0x8f;
export const ADDITEMS = 0x90;
export const FROZENSET = 0x91;
export const NEWOBJ_EX = 0x92;
export const STACK_GLOBAL = 0x93;
export const MEMOIZE = 0x94;
export const FRAME = 0x95;
export const BYTEARRAY8 = 0x96;

/** What stands behind an opcode: so many bytes, or bytes behind their number of so many bytes, or lines. */
export type Payload = { readonly fixed: 0 | 1 | 2 | 4 | 8 } | { readonly counted: 1 | 4 | 8 } | { readonly lines: 2 };

/** By opcode; undefined for those that are not read. */
export const PAYLOADS: readonly (Payload | undefined)[] = /* @__PURE__ */ payloads();

function payloads(): (Payload | undefined)[] {
  const table: (Payload | undefined)[] = Array.from({ length: 256 });
  const put = (payload: Payload, ...opcodes: number[]): void => {
    for (const opcode of opcodes) table[opcode] = payload;
  };
  put({ fixed: 0 }, MARK, STOP, POP, POP_MARK, DUP, NONE, BINPERSID, REDUCE, EMPTY_LIST, APPEND, BUILD, DICT, APPENDS, LIST, OBJ);
  put({ fixed: 0 }, SETITEM, TUPLE, SETITEMS, EMPTY_DICT, EMPTY_TUPLE, NEWOBJ, TUPLE1, TUPLE2, TUPLE3, NEWTRUE, NEWFALSE);
  put({ fixed: 0 }, EMPTY_SET, ADDITEMS, FROZENSET, NEWOBJ_EX, STACK_GLOBAL, MEMOIZE);
  put({ fixed: 1 }, BININT1, BINGET, BINPUT, PROTO);
  put({ fixed: 2 }, BININT2);
  put({ fixed: 4 }, BININT, LONG_BINGET, LONG_BINPUT);
  put({ fixed: 8 }, BINFLOAT, FRAME);
  put({ counted: 1 }, SHORT_BINBYTES, SHORT_BINSTRING, SHORT_BINUNICODE, LONG1);
  put({ counted: 4 }, BINBYTES, BINSTRING, BINUNICODE, LONG4);
  put({ counted: 8 }, BINUNICODE8, BINBYTES8, BYTEARRAY8);
  put({ lines: 2 }, GLOBAL, INST);
  return table;
}
