import { answer, type Commands } from "./commands.ts";

// workerd: a request for each call.
export function serve(commands: Commands): { fetch(request: Request): Promise<Response> } {
  return {
    async fetch(request) {
      const { name, argument } = (await request.json()) as { name: string; argument: unknown };
      return Response.json(await answer(commands, name, argument));
    },
  };
}
