import { formatLocalTimestamp } from "../system/local-time.js";
import type { LogRecord } from "./reporter.js";

type Word = LogRecord["level"] | "DETAIL" | "HINT";

function linesOf(record: LogRecord, format: (word: Word, text: string) => string): string {
  return wordsOf(record)
    .map(([word, text]) => format(word, text))
    .join("");
}

/** The record as words and their texts, DETAIL and HINT after the message. */
export function wordsOf({ level, message, detail = [], hint = [] }: LogRecord): readonly [Word, string][] {
  return [
    [level, message],
    ...[detail].flat().map((text): [Word, string] => ["DETAIL", text]),
    ...[hint].flat().map((text): [Word, string] => ["HINT", text]),
  ];
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
