import type { Sequential } from "../nn/sequential.js";
import { compress } from "../pipeline/api.js";
import type { Report } from "../pipeline/report.js";
import type { Tensor } from "../types.js";
import type { TrainingRecipe } from "./plan.js";
import { parameterNames } from "./rules.js";

/** Weights that masks keep, of all parameters. */
export function survivorsOf(network: Sequential): number {
  const counts = new Map(network.tensors().map(({ name, data }) => [name, data.length / 4]));
  return parameterNames(network).reduce((sum, name) => sum + Math.round(network.density(name) * (counts.get(name) as number)), 0);
}

/** What tensors come to in an archive. */
export interface MeasuredArchive {
  readonly archive: Uint8Array;
  readonly report: Report;
  /** Of the tensors. */
  readonly parameterBytes: number;
  /** `parameterBytes` over those of the archive. */
  readonly ratio: number;
}

/** The archive of a network's tensors, all as they are. */
export async function archiveOf(tensors: readonly Tensor[], { archive }: TrainingRecipe): Promise<MeasuredArchive> {
  // Without a rule all is exact: what is shared is found out, and coded by its codebook.
  const compressed = await compress(tensors, { recipe: { rules: [], contexts: archive?.contexts ?? "all" }, threads: 1 });
  const parameterBytes = tensors.reduce((sum, { data }) => sum + data.length, 0);
  return { ...compressed, parameterBytes, ratio: parameterBytes / compressed.archive.length };
}
