// Ctrl-C and its kin stop the work by an AbortSignal, so that temporary files are taken away before the process ends.

/** The user, or the system, wants the process to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** As a shell reports a process that the signal ended. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that the first of those signals aborts; later ones change nothing. */
export function hearInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const [name, exitCode] of Object.entries(EXIT_CODES)) process.on(name, () => controller.abort(new Interrupted(exitCode)));
  process.on("SIGXFSZ", () => undefined); // writing past a quota is then an error like any other, EFBIG
  return controller.signal;
}
