import { FormatError } from "../errors.js";

/** Code page 437 from 0x80: what a zip name is written in where its UTF-8 flag is not set. */
const HIGH_437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const utf8: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The name of a zip member; `offset` is where it stands in the file. */
export function memberName(bytes: Uint8Array, isUtf8: boolean, offset: number): string {
  if (!isUtf8) return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : HIGH_437[byte - 0x80])).join("");
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormatError("CORRUPT", offset, "the name of a member is not UTF-8");
  }
}
