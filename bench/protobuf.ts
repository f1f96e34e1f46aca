// As much of protocol buffers as a small ONNX model takes.

/** A field with a text, or with bytes. */
export function field(id: number, ...values: readonly (string | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(values.map((value) => (typeof value === "string" ? Buffer.from(value) : value)));
  return Buffer.concat([varint(8 * id + 2), varint(bytes.length), bytes]);
}

/** A field with a number. */
export function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(8 * id), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A field with a float32. */
export function float(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(8 * id + 5), bytes]);
}
