import { checkInteger, checkNumber, checkOneOf, checkText, fieldsOf } from "../check.js";
import { checkPrune, checkShare } from "../codec/check-treatment.js";
import type { Contexts, Prune, Share } from "../codec/quantize.js";
import type { OptimizerOptions } from "../nn/optimizer.js";
import type { Schedule } from "../nn/schedule.js";
import { listOf } from "../pipeline/recipe.js";
import { type Augment, checkAugment } from "./augment.js";
import { parseFields } from "./training-fields.js";

/** Glob patterns on a tensor's name, one of which must match, as in recipes for archives. */
export type Match = string | readonly string[];

/** How samples come out of files. */
export interface DataRecipe {
  /** Samples at the end of the training set to watch the training by, 1 or more; a tenth of them unless given. */
  readonly heldOut?: number;
  /** The network gets (pixel * scale - mean) / std: 1/255 unless given. */
  readonly scale?: number;
  /** For each channel, or one for all of them: 0 unless given. */
  readonly mean?: readonly number[];
  /** For each channel, or one for all of them: 1 unless given. */
  readonly std?: readonly number[];
  readonly augment?: Augment;
}

/** A teacher: the network as it was after an earlier stage. */
export interface Distill {
  /** The name of that stage. */
  readonly from: string;
  /** By which the logits of both are divided before they are compared, above 0: 4 unless given. */
  readonly temperature?: number;
  /** The teacher's part of the loss, 0 to 1: 0.5 unless given. */
  readonly weight?: number;
}

/** How a stage trains. */
export interface TrainingFields {
  /** Passes over the training samples, 0 or more. */
  readonly epochs: number;
  /** Of the first step: 0.01 unless given. */
  readonly learningRate?: number;
  /** Samples a step: 128 unless given. */
  readonly batchSize?: number;
  /** SGD with `momentum` and `weightDecay` unless given. */
  readonly optimizer?: OptimizerOptions;
  /** Of SGD: 0.9 unless given. */
  readonly momentum?: number;
  /** 0 unless given. */
  readonly weightDecay?: number;
  /** `constant` unless given. */
  readonly schedule?: Schedule;
  /** false where this stage takes the samples as they are. */
  readonly augment?: boolean;
  readonly distill?: Distill;
}

interface Named {
  /** For reports and teachers, and the only stage so named: its type unless given, numbered where there are several. */
  readonly name?: string;
}

/**
 * What is pruned of the tensors that it matches, by exactly one of `sparsity`, `quality` and `threshold`. At once at the beginning of the stage; or, where a sparsity has an `end`,
 * step by step along a cubic, from what the tensor has at the beginning.
 */
export interface PruneRule {
  readonly match: Match;
  readonly sparsity?: number;
  readonly quality?: number;
  readonly threshold?: number;
  /** The part of the stage's steps after which pruning begins, 0 to 1: 0 unless given. */
  readonly begin?: number;
  /** The part of the stage's steps after which the sparsity is reached, `begin` to 1. */
  readonly end?: number;
  /** Steps from one mask to the next: 50 unless given. */
  readonly every?: number;
  /** The tensors are pruned together, `sparsity` that of all of them, by what their weights are worth to the loss: with an `end`, and Adam. */
  readonly saliency?: {
    /** The power of the bits that a weight takes in the archive by which its worth is divided, 0 to 4: 0 unless given. */
    readonly rate?: number;
  };
}

/** How weights are shared of the tensors that it matches. */
export interface ShareRule {
  readonly match: Match;
  readonly share: Share;
  /** By what the learning rate is multiplied for the centroids: 1 unless given. Not beside `reassign`. */
  readonly rate?: number;
  /** Weights move on behind their centroids, and take the nearest anew after each step, instead of centroids that move: false unless given. */
  readonly reassign?: boolean;
}

export interface TrainStage extends Named, TrainingFields {
  readonly type: "train";
}

/** Prunes, and trains what is left. */
export interface PruneStage extends Named, TrainingFields {
  readonly type: "prune";
  /** The first that matches a tensor decides. */
  readonly rules: readonly PruneRule[];
}

/** Shares, and trains the centroids. */
export interface ShareStage extends Named, TrainingFields {
  readonly type: "share";
  /** The first that matches a tensor decides. */
  readonly rules: readonly ShareRule[];
}

/** Looks how much the network needs each tensor, and changes nothing. */
export interface ScanStage extends Named {
  readonly type: "scan";
  /** Tensors to prune; those of two axes or more unless given. */
  readonly match?: Match;
  /** How far, 0 to 1; nine from 0 to 0.95 unless given. */
  readonly sparsities?: readonly number[];
}

export type Stage = TrainStage | PruneStage | ShareStage | ScanStage;

/** From samples to an archive, stage by stage, each from the network that the one before left. docs/training.schema.json describes it. */
export interface TrainingRecipe {
  /** Of the initial weights, the order of samples and all else that is left to chance: a u32, 1 unless given. */
  readonly seed?: number;
  readonly data?: DataRecipe;
  readonly stages: readonly Stage[];
  /** How the archive is coded: all tensors as they are, shared ones with their codebooks. */
  readonly archive?: {
    /** Which records may be coded by context: `all` unless given. */
    readonly contexts?: Contexts;
  };
}

/** A recipe whose stages all have names. */
export type NamedStage = Stage & { readonly name: string };

const TYPES = ["train", "prune", "share", "scan"] as const;
const CONTEXTS = ["small", "all", "none"] as const;
const MOST_CENTROID_RATE = 1e6;
const MOST_STEPS = 2 ** 31;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a training recipe, say out of a JSON file.
 *
 * @throws TypeError, RangeError naming the key
 */
export function parseTrainingRecipe(value: unknown): TrainingRecipe {
  const recipe = fieldsOf(value, "recipe", ["$schema", "seed", "data", "stages", "archive"]);
  const { seed, data, stages, archive } = recipe;
  if (seed !== undefined) checkInteger(seed, "seed", 0, 2 ** 32 - 1);
  if (data !== undefined) checkData(data);
  if (!Array.isArray(stages)) throw new TypeError("stages must be an array");
  if (stages.length === 0) throw new RangeError("stages must hold a stage");
  const names = new Set<string>();
  for (const [i, stage] of stages.entries()) checkStage(stage, `stages[${i}]`, names);
  checkTeachers(namedStages({ stages }));
  checkSaliency(namedStages({ stages }));
  if (archive !== undefined) {
    const { contexts } = fieldsOf(archive, "archive", ["contexts"]);
    if (contexts !== undefined) checkOneOf(contexts, "archive.contexts", CONTEXTS);
  }
  return recipe as unknown as TrainingRecipe;
}

/** The stages by their names: `prune` and `prune 2` where no others are given. */
export function namedStages({ stages }: TrainingRecipe): NamedStage[] {
  const taken = new Set(stages.map(({ name }) => name));
  return stages.map((stage) => {
    if (stage.name !== undefined) return stage as NamedStage;
    let name: string = stage.type;
    for (let i = 2; taken.has(name); i++) name = `${stage.type} ${i}`;
    taken.add(name);
    return { ...stage, name };
  });
}

function checkTeachers(stages: readonly NamedStage[]): void {
  for (const [i, stage] of stages.entries()) {
    const from = stage.type === "scan" ? undefined : stage.distill?.from;
    if (from === undefined || stages.slice(0, i).some(({ name }) => name === from)) continue;
    throw new RangeError(`stages[${i}].distill.from must be the name of an earlier stage, got ${JSON.stringify(from)}`);
  }
}

function checkSaliency(stages: readonly NamedStage[]): void {
  for (const [i, stage] of stages.entries()) {
    if (stage.type !== "prune" || stage.optimizer?.type === "adam") continue;
    const stray = stage.rules.findIndex(({ saliency }) => saliency !== undefined);
    if (stray >= 0) throw new RangeError(`stages[${i}].optimizer must be adam, whose mean squares rules[${stray}].saliency needs`);
  }
}

function checkData(value: unknown): void {
  const { heldOut, scale, mean, std, augment } = fieldsOf(value, "data", ["heldOut", "scale", "mean", "std", "augment"]);
  if (heldOut !== undefined) checkInteger(heldOut, "data.heldOut", 1, 2 ** 32);
  if (scale !== undefined) checkNumber(scale, "data.scale", -Number.MAX_VALUE, Number.MAX_VALUE);
  checkNumbers(mean, "data.mean", -Number.MAX_VALUE, Number.MAX_VALUE);
  checkNumbers(std, "data.std", Number.MIN_VALUE, Number.MAX_VALUE);
  if (augment !== undefined) checkAugment(augment, "data.augment");
}

function checkNumbers(value: unknown, title: string, least: number, most: number): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw new TypeError(`${title} must be an array of numbers`);
  if (value.length === 0) throw new RangeError(`${title} must hold a number`);
  for (const [i, number] of value.entries()) checkNumber(number, `${title}[${i}]`, least, most);
}

function checkStage(value: unknown, title: string, earlier: Set<string>): void {
  if (value === null || typeof value !== "object") throw new TypeError(`${title} must be an object with a type`);
  const { type, name } = value as Fields;
  checkOneOf(type, `${title}.type`, TYPES);
  if (name !== undefined) {
    checkText(name, `${title}.name`);
    if (earlier.has(name)) throw new RangeError(`${title}.name must be of no other stage, got ${JSON.stringify(name)} again`);
  }
  if (type === "scan") {
    const { match, sparsities } = fieldsOf(value, title, ["type", "name", "match", "sparsities"]);
    if (match !== undefined) checkMatch(match, `${title}.match`);
    checkNumbers(sparsities, `${title}.sparsities`, 0, 1);
  } else {
    const { rules } = parseFields(value, title, type === "train" ? ["type", "name"] : ["type", "name", "rules"]);
    if (type !== "train") checkRules(rules, `${title}.rules`, type === "prune" ? checkPruneRule : checkShareRule);
  }
  if (name !== undefined) earlier.add(name);
}

function checkRules(rules: unknown, title: string, check: (rule: unknown, title: string) => void): void {
  if (!Array.isArray(rules)) throw new TypeError(`${title} must be an array`);
  if (rules.length === 0) throw new RangeError(`${title} must hold a rule`);
  for (const [i, rule] of rules.entries()) check(rule, `${title}[${i}]`);
}

function checkMatch(match: unknown, title: string): void {
  const patterns = listOf(match);
  if (patterns.length === 0) throw new RangeError(`${title} must hold a pattern`);
  for (const pattern of patterns) checkText(pattern, title);
}

function checkPruneRule(value: unknown, title: string): void {
  const { match, begin, end, every, saliency, ...prune } = fieldsOf(value, title, [
    "match",
    "sparsity",
    "quality",
    "threshold",
    "begin",
    "end",
    "every",
    "saliency",
  ]);
  checkMatch(match, `${title}.match`);
  checkPrune(prune, title);
  if (end === undefined) {
    const [key] = Object.entries({ begin, every, saliency }).find(([, field]) => field !== undefined) ?? [];
    if (key !== undefined) throw new TypeError(`${title} must have an end beside ${key}`);
    return;
  }
  if (!("sparsity" in prune)) throw new TypeError(`${title} must have a sparsity beside end`);
  checkNumber(end, `${title}.end`, 0, 1);
  if (begin !== undefined) checkNumber(begin, `${title}.begin`, 0, end);
  if (every !== undefined) checkInteger(every, `${title}.every`, 1, MOST_STEPS);
  if (saliency !== undefined) {
    const { rate } = fieldsOf(saliency, `${title}.saliency`, ["rate"]);
    if (rate !== undefined) checkInteger(rate, `${title}.saliency.rate`, 0, 4);
  }
}

function checkShareRule(value: unknown, title: string): void {
  const { match, share, rate, reassign } = fieldsOf(value, title, ["match", "share", "rate", "reassign"]);
  checkMatch(match, `${title}.match`);
  checkShare(share, `${title}.share`);
  if (rate !== undefined) checkNumber(rate, `${title}.rate`, 0, MOST_CENTROID_RATE);
  if (reassign !== undefined && typeof reassign !== "boolean") throw new TypeError(`${title}.reassign must be true or false`);
  if (reassign === true && rate !== undefined)
    throw new TypeError(`${title}.rate must not stand beside reassign, with which no centroid has a learning rate`);
}

/** The pruning of a rule, without its schedule. */
export function pruneOf({ sparsity, quality, threshold }: PruneRule): Prune {
  if (sparsity !== undefined) return { sparsity };
  return quality === undefined ? { threshold: threshold as number } : { quality };
}
