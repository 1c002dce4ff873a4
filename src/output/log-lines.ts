import { formatLocalTimestamp } from "../system/local-time.js";
import type { LogRecord } from "./reporter.js";

type Word = LogRecord["level"] | "DETAIL" | "HINT";

function linesOf(record: LogRecord, format: (word: Word, text: string) => string): string {
  let lines = format(record.level, record.message);
  if (record.detail !== undefined) lines += format("DETAIL", record.detail);
  if (record.hint !== undefined) lines += format("HINT", record.hint);
  return lines;
}

/** `NOTICE: text`, the form of the terminal. */
export function renderTerminalLines(record: LogRecord): string {
  return linesOf(record, (word, text) => `${word}: ${text}\n`);
}

/** `[2026-01-31 12:00:00] [NOTICE] text`, the form of log files. */
export function renderFileLines(record: LogRecord): string {
  const time = formatLocalTimestamp(record.time, "without-zone");
  return linesOf(record, (word, text) => `[${time}] [${word}] ${text}\n`);
}
