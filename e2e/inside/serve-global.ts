import { type Answer, answer, type Commands } from "./commands.ts";

// An edge VM and a page: the host calls a global function.
export function serve(commands: Commands): void {
  const call = (name: string, argument: unknown): Promise<Answer> => answer(commands, name, argument);
  Object.assign(globalThis, { call });
}
