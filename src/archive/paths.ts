/** Whether a path from a stranger names a file of the folder that it is meant for, in any operating system. */
export function isModelPath(path: string): boolean {
  return !/[\\:\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** A path of a set that stands where another needs a folder; undefined where none does. */
export function pathInFile(paths: ReadonlySet<string>): string | undefined {
  for (const path of paths) {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      if (paths.has(path.slice(0, end))) return path;
    }
  }
  return undefined;
}
