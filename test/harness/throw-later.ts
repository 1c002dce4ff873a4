import { resolve } from "node:path";

/** The environment of a program in which an error is thrown after some time, where nobody catches it. */
export const throwLater = (afterMs: number): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--require=${resolve(import.meta.dirname, "throw-later.cjs")}`,
  THROW_AFTER_MS: String(afterMs),
});
