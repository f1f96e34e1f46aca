import { readFile } from "node:fs/promises";
import { jsonFault, lineAndColumn } from "./json-fault.js";
import { UsageError } from "./usage.js";

/**
 * What is in a JSON file that the command line names.
 *
 * @param what a word for it, as in "there is no such recipe"
 * @throws UsageError naming the file, and where it stops being JSON
 */
export async function readJson(file: string, what: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new UsageError(`${file}: there is no such ${what}`);
    if (error.code === "EISDIR") throw new UsageError(`${file} is a folder; name a ${what}`);
    throw error;
  });
  return parseJson(text.replace(/^\ufeff/, ""), file);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const at = jsonFault(text);
    const what = at < text.length ? "this is not JSON" : "the JSON ends too early";
    throw new UsageError(`${file}: ${what}, at ${lineAndColumn(text, at)}`);
  }
}
