import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { replaceFile, systemCode } from "./directories.js";

/** A small file of lines that survives a crash after each change. */
export interface LineFile {
  read(): readonly string[];
  /** On disk when it returns. */
  append(line: string): void;
  /** Replaces all lines in one step; none removes the file. */
  replace(lines: readonly string[]): Promise<void>;
}

/** Errors of the file system are thrown. */
export function openLineFile(path: string): LineFile {
  return {
    read: () => {
      try {
        return readFileSync(path, "utf8")
          .split("\n")
          .filter((line) => line !== "");
      } catch (error) {
        if (systemCode(error) === "ENOENT") return [];
        throw error;
      }
    },
    append: (line) => {
      const descriptor = openSync(path, "a", 0o600);
      try {
        // A line that a crash cut off must not run into this one.
        writeSync(descriptor, `\n${line}\n`);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
    replace: async (lines) => {
      if (lines.length === 0) rmSync(path, { force: true });
      else await replaceFile(path, Buffer.from(lines.map((line) => `${line}\n`).join("")), 0o600);
    },
  };
}
