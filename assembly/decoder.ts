export { block, input, pairs, survivors } from "./edge/block";
export { checksum } from "./edge/checksum";
export { head } from "./edge/head";
export { header, headerEnd, shell, tensor } from "./edge/header";
export { foundAt } from "./edge/input";
