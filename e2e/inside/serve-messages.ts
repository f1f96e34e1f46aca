import { answer, type Commands } from "./commands.ts";

// A Web Worker: a message in for each call, a message out.
export function serve(commands: Commands): void {
  self.onmessage = async ({ data: { name, argument } }: MessageEvent<{ name: string; argument: unknown }>) => {
    self.postMessage(await answer(commands, name, argument));
  };
}
