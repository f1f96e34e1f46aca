import type { Pending } from "./inside/found.ts";

/** What the package does not have yet: it is left out, and has to leave this list when it is there. */
export const PENDING: readonly Pending[] = [
  { library: "reference", title: "reference:", until: "decode" },
  { library: "decode", title: "decode: stream, by blocks", until: "toFile" },
  { library: "decode", title: "decode: init", until: "init" },
];
