import type { Role, TensorInfo } from "../types.js";

// Whether errors of a model's weights feed back, where no graph of nodes says so.

/** The matrix that takes a layer's own last output, as PyTorch names it (`weight_hh`, `weight_hh_l0_reverse`) and Keras up to 2 and TF.js; Keras 3 numbers variables, and its recurrent layers have a cell. */
const RECURRENT = /(?:^|[./])(?:weight_hh(?![a-z0-9])|recurrent_kernel(?![a-z])|cell\/vars\/)/;

/** Layers and operators of a TF.js topology, as it stands in JSON. */
const RECURRENT_CLASS = /"(?:class_name|op)"\s*:\s*"(?:\w*(?:LSTM|GRU|RNN)\w*|(?:Stateless)?While|NextIteration)"/;

/** Whether a tensor is named as the weights of a recurrent layer are. */
export function namesRecurrence(tensors: readonly TensorInfo[]): boolean {
  return tensors.some(({ name }) => RECURRENT.test(name));
}

/** Whether a model in JSON, of Keras or TF.js, has a recurrent layer or a loop. */
export function describesRecurrence(json: Uint8Array): boolean {
  return RECURRENT_CLASS.test(new TextDecoder("latin1").decode(json));
}

/**
 * The roles of tensors in a model that may be recurrent: then its weights are all of that role; where the format does not tell which those are, all tensors of two axes or more.
 *
 * @param role what the format tells
 */
export function rolesOf(
  tensors: readonly TensorInfo[],
  role: (tensor: number) => Role | undefined = () => undefined,
  isRecurrent: boolean = namesRecurrence(tensors),
): (tensor: number) => Role | undefined {
  if (!isRecurrent) return role;
  return (tensor) => {
    const told = role(tensor) ?? (tensors[tensor].shape.length >= 2 ? "weight" : undefined);
    return told === "weight" ? "recurrent" : told;
  };
}
