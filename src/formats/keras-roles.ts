import type { TensorInfo } from "../types.js";

/** Where the state of the optimiser stands, by the first group of a path: of Keras 1 and 2, and of Keras 3. */
const OPTIMIZER = /^(?:optimizer_weights|optimizer)(?:\/|$)/;

/** Variables of layers that are no weights: some have two axes, as the biases of a recurrent or an attention layer, and the running statistics of a spectral norm. */
const OTHER = /bias|gamma|beta|moving_|mean|variance|count|vector_u|seed/;

/**
 * Whether a dataset of a Keras model is the weights of a layer: a kernel or an embedding, which have two axes at least. Keras 3 numbers the variables of a layer (`layers/dense/vars/0`) and
 * names none.
 */
export function isKerasWeight({ name, shape }: TensorInfo): boolean {
  return shape.length >= 2 && !OPTIMIZER.test(name) && !OTHER.test(name.slice(name.lastIndexOf("/") + 1));
}
