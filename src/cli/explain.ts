import { FormatError, type FormatErrorCode } from "../errors.js";
import { OutputExistsError } from "../index.js";
import { FileFault } from "./input.js";
import { printable } from "./text.js";
import { UsageError } from "./usage.js";

export const EXIT = { done: 0, differs: 1, usage: 2, file: 3, system: 4 } as const;

export interface Failure {
  readonly exitCode: number;
  /** Says what is wrong and what to do. */
  readonly sentence: string;
}

/** What can be done about a file, where its message does not say it. */
const FILE_ADVICE: Partial<Record<FormatErrorCode, string>> = {
  VERSION: "a newer coppice may read it",
  TRUNCATED: "get the file again",
  TRAILING: "get the file again",
  CHECKSUM: "get the file again",
};

const SYSTEM_ADVICE: Readonly<Record<string, string>> = {
  EACCES: "check the permissions",
  EPERM: "check the permissions",
  EROFS: "write to another place with -o",
  ENOSPC: "free some space and run it again",
  EDQUOT: "free some space and run it again",
  EFBIG: "the file would pass a limit on its size; write to another place with -o",
  ENOMEM: "free some memory and run it again",
  EMFILE: "allow more open files and run it again",
};

/** What V8 throws where memory is short: a RangeError like those of a wrong argument. */
const OUT_OF_MEMORY = /allocation failed|memory\.grow|out of memory|invalid (typed )?array length|could not allocate/i;

/** As the library says that an argument is wrong, unlike what a defect throws. */
const WRONG_ARGUMENT = /\b(must|excludes|has the unknown key)\b/;

/** What the library calls an argument that is an option here. */
const ARGUMENT =
  /^(maxBytes|threads|inputs?|images|labels|limit|batch|scale|mean|std|state|shapes|random|seed|tolerance|checkpoint|data|page|maxAccuracyDrop)\b/;
const OPTION_OF: Readonly<Record<string, string>> = {
  maxBytes: "max-bytes",
  shapes: "shape",
  page: "report",
  maxAccuracyDrop: "max-accuracy-drop",
};

/** An error in one sentence. */
export function explain(error: unknown): Failure {
  const { exitCode, sentence } = explained(error);
  return { exitCode, sentence: printable(sentence) };
}

function explained(error: unknown): Failure {
  if (error instanceof UsageError) return { exitCode: EXIT.usage, sentence: error.message };
  if (error instanceof OutputExistsError) return { exitCode: EXIT.usage, sentence: `${error.message}; --force overwrites it` };
  if (error instanceof FileFault) return fileFailure(error.cause, `${error.title}: `);
  if (error instanceof FormatError) return fileFailure(error, "");
  if (!(error instanceof Error)) return { exitCode: EXIT.system, sentence: String(error) };
  if (error.name === "MissingPackageError") return { exitCode: EXIT.system, sentence: error.message };
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) return { exitCode: EXIT.system, sentence: systemSentence(error) };
  if (OUT_OF_MEMORY.test(error.message)) return { exitCode: EXIT.system, sentence: `there is not enough memory (${error.message})` };
  if ((error instanceof TypeError || error instanceof RangeError) && WRONG_ARGUMENT.test(error.message)) {
    return { exitCode: EXIT.usage, sentence: error.message.replace(ARGUMENT, (name) => `--${OPTION_OF[name] ?? name}`) };
  }
  return { exitCode: EXIT.system, sentence: `this is a defect of coppice: ${error.message}; COPPICE_DEBUG=1 shows where it is` };
}

function fileFailure({ code, message }: FormatError, prefix: string): Failure {
  const advice = FILE_ADVICE[code];
  const sentence = message
    .replace("set maxBytes to allow them", "--max-bytes allows more")
    .replace("which need a folder", "which need a folder; name one with -o");
  return { exitCode: EXIT.file, sentence: `${prefix}${sentence}${advice === undefined ? "" : `; ${advice}`}` };
}

function systemSentence(error: NodeJS.ErrnoException): string {
  const code = error.code as string;
  const what = /^\w+: (.+?)(, \w+.*)?$/.exec(error.message)?.[1] ?? error.message;
  // A temporary file stands beside the one that it is to become, and goes by its name.
  const path = error.path?.replace(/\.([^\\/]+)\.[0-9a-f]{12}\.tmp$/, "$1");
  const advice = SYSTEM_ADVICE[code];
  return `${path === undefined ? "" : `${path}: `}${what} (${code})${advice === undefined ? "" : `; ${advice}`}`;
}
