/** Whether a path from a stranger names a file of the folder that it is meant for, in any operating system. */
export function isModelPath(path: string): boolean {
  return !/[\\:\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
