/** A runtime that was started with a module of commands. */
export interface Running {
  /** The system's number of its process, where it has one of its own. */
  readonly pid?: number;
  /** Runs a command inside; what it is given and gives is JSON. */
  call(command: string, argument?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** What starts in a runtime. */
export interface Program {
  /** A folder with the package in node_modules; bundles are written there. */
  readonly project: string;
  /** A module of this folder that exports `commands`. */
  readonly entry: string;
  /** What the entry imports as `given:NAME`, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** How many .wasm modules its bundle imports where hosts compile no bytes: 1, the decoder, unless given. */
  readonly modules?: number;
}

export interface Runtime {
  readonly name: string;
  /** What the runtime says that it is. */
  readonly says: RegExp;
  start(program: Program): Promise<Running>;
}
