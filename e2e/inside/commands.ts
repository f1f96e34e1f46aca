/** What a host may ask for, by name. Arguments and results are JSON. */
export type Commands = Readonly<Record<string, (argument: unknown) => unknown>>;

export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

export async function answer(commands: Commands, name: string, argument: unknown): Promise<Answer> {
  try {
    return { value: await commands[name](argument) };
  } catch (error) {
    return { error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
  }
}

/** @throws Error with the stack of the other side */
export function resultOf({ value, error }: Answer): unknown {
  if (error !== undefined) throw new Error(error);
  return value;
}
