// LeNet-300-100 in a few lines: what every script here does with an archive, whatever runtime it is in.

import { decodeStream } from "coppice/decode";

const SIDE = 28;
const INK = " .:-=+*#%@";

/** The weights of an archive by name, each as soon as its bytes have arrived. */
export async function load(stream) {
  const network = new Map();
  for await (const { name, data } of decodeStream(stream)) network.set(name, new Float32Array(data.buffer));
  return network;
}

/** A drawing of 28 lines of 28 characters, from a space for paper to @ for ink, as the network takes it: 0 to 1. */
export function pixelsOf(drawing) {
  const pixels = new Float32Array(SIDE * SIDE);
  for (const [y, line] of drawing.split("\n").slice(0, SIDE).entries())
    for (const [x, character] of [...line].slice(0, SIDE).entries())
      pixels[y * SIDE + x] = Math.max(0, INK.indexOf(character)) / (INK.length - 1);
  return pixels;
}

function linear(weight, bias, input) {
  return bias.map((sum, row) => {
    for (let i = 0; i < input.length; i++) sum += weight[row * input.length + i] * input[i];
    return sum;
  });
}

/** Which digit a drawing is, and how sure the network is of it. */
export function read(network, drawing) {
  const layer = (name, input) => linear(network.get(`${name}.weight`), network.get(`${name}.bias`), input);
  const relu = (values) => values.map((value) => Math.max(0, value));
  const logits = layer("fc3", relu(layer("fc2", relu(layer("fc1", pixelsOf(drawing))))));
  const digit = logits.indexOf(Math.max(...logits));
  return { digit, probability: 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - logits[digit]), 0) };
}

/** The same as a line of text. */
export function say(file, { digit, probability }) {
  return `${file}: ${digit} (${(100 * probability).toFixed(1)} %)`;
}
