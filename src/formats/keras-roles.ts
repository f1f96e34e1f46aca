import type { TensorInfo } from "../types.js";

/** Where the state of the optimiser stands, by the first group of a path: of Keras 1 and 2, and of Keras 3. */
const OPTIMIZER = /^(?:optimizer_weights|optimizer)(?:\/|$)/;

/** Words for variables of layers that are no weights: some have two axes, as the biases of a recurrent or an attention layer, and the running statistics of a spectral norm. */
const OTHER = /(?:^|_)(?:bias|biases|gamma|beta|moving|mean|variance|count|vector_u|seed)\d*(?:[_:]|$)/;

/** Keras 3 numbers the variables of a layer, in the order in which it made them, and names none: `layers/dense/vars/0`. */
const NUMBERED = /^(.*(?:^|\/)vars\/)\d+$/;

/** Which datasets of a Keras model are the weights of a layer: kernels and embeddings, which have two axes at least. */
export function kerasWeights(tensors: readonly TensorInfo[]): boolean[] {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  return tensors.map(({ name, shape }) => {
    if (shape.length < 2 || OPTIMIZER.test(name) || OTHER.test(name.slice(name.lastIndexOf("/") + 1))) return false;
    const layer = NUMBERED.exec(name)?.[1];
    return layer === undefined || !isBias(name.slice(layer.length), shape, (number) => shapes.get(layer + number));
  });
}

/** Whether a numbered variable of two axes or more is a bias: that of an attention layer has the last axes of the kernel before it; that of a GRU two rows, one for each of its kernels. */
function isBias(number: string, shape: readonly number[], shapeOf: (number: number) => readonly number[] | undefined): boolean {
  const kernel = shapeOf(0);
  if (number === "1") return kernel !== undefined && kernel.length > shape.length && `${kernel.slice(-shape.length)}` === `${shape}`;
  const kernels = [kernel, shapeOf(1)];
  return number === "2" && shape.length === 2 && shape[0] === 2 && kernels.every((of) => of?.length === 2 && of[1] === shape[1]);
}
