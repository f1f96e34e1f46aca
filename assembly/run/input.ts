import { Input, Room, room } from "../edge/input";

/** Makes room for a block's bytes behind a head's, from `base` on: what stands there is gone, and what is below stays. */
export function inputAt(base: usize, byteLength: usize): usize {
  Input.at = 0;
  Room.next = base;
  return room(byteLength);
}
