/**
 * 32 KiB for the tables of the call that is running. At an address that the compiler knows, an index is an address at once: an addition less for each look-up. Nothing stays here from one call to the next.
 */
export const SCRATCH: usize = memory.data(32768, 64);
