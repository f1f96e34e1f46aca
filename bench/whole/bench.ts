import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { thisMachine } from "../node/machine.js";
import type { Machine } from "../report.js";
import { findPackage } from "../run/packages.js";
import { wholeOffers } from "./forms.js";
import { networksFor, WHOLE_NETWORKS } from "./networks.js";
import { wholeSubjectOf } from "./subject.js";
import { runNetwork, type WholeResult } from "./suite.js";

export interface WholeDocument {
  readonly machine: Machine;
  /** Versions of what is compared, or why it is left out. */
  readonly peers: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly networks: readonly WholeResult[];
}

export interface WholeBenchOptions {
  /** Parts of the names of networks; all unless given. */
  readonly filters?: readonly string[];
  /** How often each form is measured. */
  readonly rounds?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export const WHOLE_ROUNDS = 11;

export function networkNames(): string[] {
  return WHOLE_NETWORKS.map(({ name }) => name);
}

function versionOf(name: string): string {
  return findPackage(name)?.version ?? "left out, not found";
}

/** @throws RangeError where no network has such a name */
export async function benchNetworks({
  filters = [],
  rounds = WHOLE_ROUNDS,
  signal,
  onProgress,
}: WholeBenchOptions = {}): Promise<WholeDocument> {
  const networks = networksFor(filters);
  if (networks.length === 0) throw new RangeError(`no network is called ${filters.join(" or ")}; there are: ${networkNames().join(", ")}`);
  const results: WholeResult[] = [];
  for (const network of networks) {
    const folder = await mkdtemp(path.join(tmpdir(), "coppice-network-"));
    try {
      onProgress?.(`${network.name}: weights`);
      const subject = await wholeSubjectOf(network, folder);
      signal?.throwIfAborted();
      results.push(await runNetwork(subject, wholeOffers(), { rounds, signal, onProgress }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const peers = Object.fromEntries(["onnxruntime-node", "onnxruntime-web"].map((name) => [name, versionOf(name)]));
  return { machine: thisMachine("not asked for"), peers, rounds, networks: results };
}

/** Whether all forms gave the same. */
export const networksAgreed = ({ networks }: WholeDocument): boolean => networks.every(({ refused }) => refused.length === 0);
