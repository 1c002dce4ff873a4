import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFailure } from "./directories.js";

/** A file that takes the output of a program in the place of our pipes. */
interface OutputFile {
  readonly path: string;
  /** What was written so far; the file is gone afterwards. */
  take(): string;
}

type MadeFile =
  { readonly ok: true; readonly file: OutputFile } | { readonly ok: false; readonly reason: string };

/** Makes an empty file that only this user may read; fails where TMPDIR is missing or full. */
export function makeOutputFile(): MadeFile {
  try {
    const directory = mkdtempSync(join(tmpdir(), "tsrepmgr-output-"));
    const path = join(directory, "output");
    writeFileSync(path, "", { mode: 0o600 });
    const take = (): string => {
      const text = readFileSync(path, "utf8");
      rmSync(directory, { recursive: true, force: true });
      return text;
    };
    return { ok: true, file: { path, take } };
  } catch (error) {
    return { ok: false, reason: `unable to make a temporary file: ${describeFailure(error)}` };
  }
}
