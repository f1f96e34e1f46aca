import { checkInteger, checkNumber, checkOneOf, checkText, fieldsOf, MOST_FLOAT32 } from "../check.js";
import { checkStep, type StepOptions } from "../nn/optimizer.js";
import { checkSchedule, type Schedule } from "../nn/schedule.js";

// The fields that all stages have that train.

type Fields = Readonly<Record<string, unknown>>;

const KEYS = ["epochs", "learningRate", "batchSize", "optimizer", "momentum", "weightDecay", "schedule", "augment", "distill"] as const;

const OPTIMIZERS = {
  sgd: ["type", "momentum", "weightDecay"],
  adam: ["type", "beta1", "beta2", "epsilon", "weightDecay", "decoupled"],
} as const;

const SCHEDULES = { constant: ["type"], step: ["type", "every", "factor"], cosine: ["type", "floor"] } as const;

const MOST_EPOCHS = 1_000_000;
const MOST_BATCH = 2 ** 24;

/** What a shared check throws, its key named from the root of the recipe. */
function within<T>(title: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const { message } = error as Error;
    throw error instanceof TypeError ? new TypeError(`${title}.${message}`) : new RangeError(`${title}.${message}`);
  }
}

/** The fields of an object that has those of its type. */
function fieldsByType<T extends string>(value: unknown, title: string, types: Readonly<Record<T, readonly string[]>>): Fields {
  if (value === null || typeof value !== "object") throw new TypeError(`${title} must be an object with a type`);
  const { type } = value as Fields;
  checkOneOf(type, `${title}.type`, Object.keys(types) as T[]);
  const fields = fieldsOf(value, title, types[type]);
  // What is left out has a default; null, which JSON has beside that, has none.
  for (const [key, field] of Object.entries(fields)) if (field === null) throw new TypeError(`${title}.${key} must not be null`);
  return fields;
}

/**
 * The fields of a stage that trains, `more` and those of its training, of which these are checked.
 *
 * @throws TypeError, RangeError naming the key
 */
export function parseFields(value: unknown, title: string, more: readonly string[]): Fields {
  const fields = fieldsOf(value, title, [...more, ...KEYS]);
  const { epochs, batchSize, optimizer, momentum, weightDecay, schedule, augment, distill, learningRate } = fields;
  checkInteger(epochs, `${title}.epochs`, 0, MOST_EPOCHS);
  if (learningRate !== undefined) checkNumber(learningRate, `${title}.learningRate`, 0, MOST_FLOAT32);
  if (batchSize !== undefined) checkInteger(batchSize, `${title}.batchSize`, 1, MOST_BATCH);
  if (momentum !== undefined) checkNumber(momentum, `${title}.momentum`, 0, 1);
  if (weightDecay !== undefined) checkNumber(weightDecay, `${title}.weightDecay`, 0, MOST_FLOAT32);
  if (optimizer !== undefined) {
    const stray = momentum === undefined ? "weightDecay" : "momentum";
    if (fields[stray] !== undefined) throw new TypeError(`${title}.${stray} must be a field of the optimizer where one is given`);
    const how = fieldsByType(optimizer, `${title}.optimizer`, OPTIMIZERS);
    const usual = how["type"] === "sgd" ? { momentum: 0, weightDecay: 0 } : {};
    within(`${title}.optimizer`, () => checkStep({ ...usual, ...how, learningRate: 0 } as StepOptions));
  }
  if (schedule !== undefined) {
    fieldsByType(schedule, `${title}.schedule`, SCHEDULES);
    within(title, () => checkSchedule(schedule as Schedule));
  }
  if (augment !== undefined && typeof augment !== "boolean") throw new TypeError(`${title}.augment must be true or false`);
  if (distill !== undefined) {
    const { from, temperature, weight } = fieldsOf(distill, `${title}.distill`, ["from", "temperature", "weight"]);
    checkText(from, `${title}.distill.from`);
    if (temperature !== undefined) checkNumber(temperature, `${title}.distill.temperature`, 2 ** -20, 2 ** 20);
    if (weight !== undefined) checkNumber(weight, `${title}.distill.weight`, 0, 1);
  }
  return fields;
}
