import type { Problem } from "../model/problem.js";

/** What a refused statement comes down to, as far as a caller may want to act on it. */
export type DatabaseErrorMeaning =
  | "insufficient-privilege"
  | "undefined-object"
  | "duplicate-object"
  | "unique-violation"
  | "constraint-violation"
  | "read-only"
  | "object-in-use"
  | "not-in-required-state"
  | "limit-reached"
  | "disk-full"
  | "serialization-failure"
  | "query-cancelled"
  | "connection-lost"
  | "other";

/** SQLSTATE codes (or classes of two characters) of the PostgreSQL manual, appendix A. */
const meanings: Readonly<Record<string, DatabaseErrorMeaning>> = {
  "42501": "insufficient-privilege",
  "42P01": "undefined-object",
  "42703": "undefined-object",
  "42704": "undefined-object",
  "42883": "undefined-object",
  "3F000": "undefined-object",
  "42P06": "duplicate-object",
  "42P07": "duplicate-object",
  "42710": "duplicate-object",
  "23505": "unique-violation",
  "23": "constraint-violation",
  "25006": "read-only",
  "55006": "object-in-use",
  "55000": "not-in-required-state",
  "53100": "disk-full",
  "53300": "limit-reached",
  "53400": "limit-reached",
  "40": "serialization-failure",
  "57014": "query-cancelled",
  "57P01": "connection-lost",
  "57P02": "connection-lost",
  "57P05": "connection-lost",
  "08": "connection-lost",
};

export interface DatabaseErrorParts {
  readonly message: string;
  /** Null when the session broke before the server said anything. */
  readonly sqlState: string | null;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** A statement that the server refused, or a session that broke. The server's words, without any password in them. */
export class DatabaseError extends Error implements Problem {
  readonly sqlState: string | null;
  readonly meaning: DatabaseErrorMeaning;
  readonly detail?: string;
  readonly hint?: string;

  constructor(parts: DatabaseErrorParts, cause?: unknown) {
    super(hidePasswords(parts.message), cause === undefined ? undefined : { cause });
    this.name = "DatabaseError";
    this.sqlState = parts.sqlState;
    this.meaning = interpretSqlState(parts.sqlState);
    if (parts.detail !== undefined) this.detail = hidePasswords(parts.detail);
    if (parts.hint !== undefined) this.hint = hidePasswords(parts.hint);
  }
}

function interpretSqlState(sqlState: string | null): DatabaseErrorMeaning {
  if (sqlState === null) return "connection-lost";
  return meanings[sqlState] ?? meanings[sqlState.slice(0, 2)] ?? "other";
}

/** The server quotes rows and statements, and a row of `repmgr.nodes` may hold a connection string. */
function hidePasswords(text: string): string {
  return text
    .replace(/(password\s*=\s*)('(?:[^'\\]|\\.)*'?|[^\s,)']+)/gi, "$1*****")
    .replace(/(postgres(?:ql)?:\/\/[^:@/\s]*:)[^@\s]*@/g, "$1*****@");
}
