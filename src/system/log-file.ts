import { closeSync, openSync, writeSync } from "node:fs";
import { describeFailure } from "./directories.js";

export interface LogFile {
  write(text: string): void;
  flush(): Promise<void>;
  /** Nothing is written afterwards. */
  close(): void;
}

/**
 * Opens a log file for appending; throws the system's error at once when that is impossible. Each record is written
 * before `write` returns, so that nothing is lost when the process is killed. A record that cannot be written, as on a
 * full disk, goes to `onFailure` with the reason: logging must not end what it reports.
 */
export function openLogFile(path: string, onFailure?: (text: string, reason: string) => void): LogFile {
  const descriptor = openSync(path, "a");
  return {
    write: (text) => {
      try {
        writeSync(descriptor, text);
      } catch (error) {
        onFailure?.(text, describeFailure(error));
      }
    },
    flush: () => Promise.resolve(),
    close: () => closeSync(descriptor),
  };
}
