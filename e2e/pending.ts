import type { Pending } from "./inside/found.ts";

/** What the package does not have yet: it is left out, and has to leave this list when it is there. */
export const PENDING: readonly Pending[] = [
  { library: "decode", title: "decode: file", until: "toFile" },
  { library: "reference", title: "reference: file", until: "toFile" },
];
