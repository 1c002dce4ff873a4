import { openSync, writeSync } from "node:fs";

export interface LogFile {
  write(text: string): void;
  flush(): Promise<void>;
}

/**
 * Opens a log file for appending; throws the system's error at once when that is impossible. Each record is written
 * before `write` returns, so that nothing is lost when the process is killed.
 */
export function openLogFile(path: string): LogFile {
  const descriptor = openSync(path, "a");
  return {
    write: (text) => void writeSync(descriptor, text),
    flush: () => Promise.resolve(),
  };
}
