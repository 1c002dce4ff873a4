import { getSystemErrorMap } from "node:util";
import type { ConnectionErrorKind } from "./connection-error.js";

/** Thrown inside one connection attempt; `connect` turns it into a ConnectionAttempt with the server's address. */
export class AttemptFailure extends Error {
  readonly kind: ConnectionErrorKind;
  readonly sqlState: string | null;

  constructor(kind: ConnectionErrorKind, message: string, sqlState: string | null = null) {
    super(message);
    this.name = "AttemptFailure";
    this.kind = kind;
    this.sqlState = sqlState;
  }
}

/** The C library's words where libuv has others. */
const wordsOfLibc: Readonly<Record<string, string>> = {
  EHOSTUNREACH: "No route to host",
  EACCES: "Permission denied",
};

/** A system call's error the way libpq shows it: `Connection refused`. */
export function describeSystemError(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  const words =
    (code === undefined ? undefined : wordsOfLibc[code]) ??
    getSystemErrorMap().get(errno ?? 0)?.[1] ??
    message;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
