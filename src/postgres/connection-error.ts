import type { Problem } from "../model/problem.js";

/** Why no session came about. */
export type ConnectionErrorKind =
  | "refused"
  | "no-such-socket"
  | "unreachable"
  | "timeout"
  | "unresolvable"
  | "tls"
  | "no-password"
  | "unknown-method"
  | "rejected"
  | "starting-up"
  | "wrong-session"
  | "protocol"
  | "invalid-parameter";

/** One try of one address. The text is libpq's, several lines where libpq has several. */
export interface ConnectionAttempt extends Problem {
  readonly kind: ConnectionErrorKind;
  readonly sqlState: string | null;
  /** The server answered with an authentication request: it accepts connections, whatever came of it. */
  readonly authenticationSeen: boolean;
}

/** No session with any of the servers that the parameters name. The message tells of every attempt, as libpq's does. */
export class ConnectionError extends Error implements Problem {
  /** Of the last attempt, like `sqlState` and `hint`. */
  readonly kind: ConnectionErrorKind;
  readonly sqlState: string | null;
  readonly hint?: string;
  readonly attempts: readonly ConnectionAttempt[];

  constructor(attempts: readonly [ConnectionAttempt, ...ConnectionAttempt[]]) {
    super(attempts.map((attempt) => attempt.message).join("\n"));
    this.name = "ConnectionError";
    const last = attempts[attempts.length - 1] ?? attempts[0];
    this.kind = last.kind;
    this.sqlState = last.sqlState;
    if (last.hint !== undefined) this.hint = last.hint;
    this.attempts = attempts;
  }
}

/** A parameter that makes every attempt impossible. */
export function refuseParameter(message: string, hint?: string): ConnectionError {
  return new ConnectionError([
    {
      kind: "invalid-parameter",
      message,
      sqlState: null,
      authenticationSeen: false,
      ...(hint === undefined ? {} : { hint }),
    },
  ]);
}
