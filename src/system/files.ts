import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";

/** How an access to the file system ended; a failure carries the system's code and its words. */
export type FileAccess<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: string; readonly reason: string };

interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Reading of small files, as an effect. Blocking on purpose: it happens before anything else can run. */
export interface Files {
  /** Content of a regular file; fails with `EFBIG` above `maximumBytes` and never blocks on a pipe or device. */
  readFile(path: string, maximumBytes: number): FileAccess<Uint8Array>;
  readDirectory(path: string): FileAccess<readonly DirectoryEntry[]>;
  /** The path without symbolic links. */
  realPath(path: string): FileAccess<string>;
  /** False also for what lies in a directory that may not be entered. */
  exists(path: string): boolean;
}

export const systemFiles: Files = {
  readFile: (path, maximumBytes) => attempt(() => readRegularFile(path, maximumBytes)),
  readDirectory: (path) =>
    attempt(() => readdirSync(path).map((name) => ({ name, isDirectory: isDirectory(`${path}/${name}`) }))),
  realPath: (path) => attempt(() => realpathSync(path)),
  exists: (path) => attempt(() => statSync(path)).ok,
};

class RefusedFile extends Error {
  constructor(
    readonly code: string,
    readonly reason: string,
  ) {
    super(reason);
  }
}

function readRegularFile(path: string, maximumBytes: number): Uint8Array {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(descriptor);
    if (facts.isDirectory()) throw new RefusedFile("EISDIR", "Is a directory");
    if (!facts.isFile()) throw new RefusedFile("EINVAL", "Not a regular file");
    if (facts.size > maximumBytes) throw new RefusedFile("EFBIG", `File too large (${facts.size} bytes)`);
    const buffer = new Uint8Array(facts.size);
    let length = 0;
    while (length < buffer.length) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function attempt<Value>(access: () => Value): FileAccess<Value> {
  try {
    return { ok: true, value: access() };
  } catch (error) {
    if (error instanceof RefusedFile) return { ok: false, code: error.code, reason: error.reason };
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return { ok: false, code: String(error.code), reason: systemReason(error.message) };
  }
}

/** Node writes `ENOENT: no such file or directory, open '/x'`; users know `No such file or directory`. */
function systemReason(message: string): string {
  const words = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
