import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file that takes the output of a program in the place of our pipes. */
export interface OutputFile {
  readonly path: string;
  /** What was written so far; the file is gone afterwards. */
  take(): string;
}

/** Makes an empty file that only this user may read. */
export function makeOutputFile(): OutputFile {
  const directory = mkdtempSync(join(tmpdir(), "tsrepmgr-output-"));
  const path = join(directory, "output");
  writeFileSync(path, "", { mode: 0o600 });
  return {
    path,
    take: () => {
      const text = readFileSync(path, "utf8");
      rmSync(directory, { recursive: true, force: true });
      return text;
    },
  };
}
