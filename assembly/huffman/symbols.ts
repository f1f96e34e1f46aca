/**
 * How often each byte occurs.
 *
 * Layout     bytes   u8[count]
 *            counts  u32[256]    written
 *            lanes   u32[1024]   scratch
 * Reads      nothing past the lengths above.
 * Order      exact integers; four tables in turn, so that runs of one byte do not wait for their own stores.
 */
export function histogram(bytes: usize, count: usize, counts: usize, lanes: usize): void {
  memory.fill(lanes, 0, 4096);
  const body = count & ~3;
  let i: usize = 0;
  for (; i < body; i += 4) {
    const four = load<u32>(bytes + i);
    bump(lanes, four & 255);
    bump(lanes + 1024, (four >> 8) & 255);
    bump(lanes + 2048, (four >> 16) & 255);
    bump(lanes + 3072, four >> 24);
  }
  for (; i < count; i++) bump(lanes, load<u8>(bytes + i));
  for (let at: usize = 0; at < 1024; at += 4) {
    const sum = load<u32>(lanes + at) + load<u32>(lanes + at, 1024) + load<u32>(lanes + at, 2048) + load<u32>(lanes + at, 3072);
    store<u32>(counts + at, sum);
  }
}

// @ts-ignore: decorator
@inline
function bump(counts: usize, byte: u32): void {
  const at = counts + ((<usize>byte) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/**
 * bytes[i] = table[bytes[i]], in place.
 *
 * Layout     bytes  u8[count]
 *            table  u8[256]
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function mapBytes(bytes: usize, count: usize, table: usize): void {
  for (let at = bytes; at < bytes + count; at++) store<u8>(at, load<u8>(table + <usize>load<u8>(at)));
}

/**
 * One byte of each element.
 *
 * Layout     elements  the byte's address in the first element, the next one elementBytes further
 *            out       u8[count]
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function splitPlane(elements: usize, count: usize, elementBytes: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) store<u8>(out + i, load<u8>(elements + i * elementBytes));
}
