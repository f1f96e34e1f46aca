// Layers and networks that run from their compressed form, anywhere: no dependency, nothing of Node.

export { FormatError, type FormatErrorCode } from "../errors.js";
export { init } from "../kernels/runner.js";
export type { Variant } from "../kernels/variant.js";
export type { LayerSpec, NetworkSpec } from "../network/spec.js";
export { Layer } from "./layer.js";
export { type LayerOptions, loadLayer } from "./load.js";
export { type LoadNetworkOptions, loadNetwork } from "./network/load.js";
export { Network, type NetworkLayer } from "./network/network.js";
export type { Layout } from "./share.js";
