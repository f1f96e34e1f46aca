import { chromiums } from "./chromium.ts";
import { edgeVm } from "./edge-vm.ts";
import type { Runtime } from "./runtime.ts";
import { scripts } from "./scripts.ts";
import { workerd } from "./workerd.ts";

/** Every runtime that Coppice is promised to run in. One that is not installed fails its tests. */
export const RUNTIMES: readonly Runtime[] = [...scripts, workerd, edgeVm, ...chromiums];
