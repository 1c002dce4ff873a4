import type { ConnectionOptions } from "node:tls";
import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure } from "./attempt-failure.js";
import type { ConnectionAttempt } from "./connection-error.js";
import { hintFor } from "./connection-hints.js";
import { findPassword, type PasswordLookup } from "./credentials.js";
import { raceDeadline, startDeadline } from "./deadline.js";
import { type Encryption, type OpenedSocket, openSocket } from "./open-socket.js";
import { describeAddress, hostOfPasswordFile, type ServerAddress } from "./server-addresses.js";
import type { SessionWish } from "./session-attributes.js";
import type { SessionRequest, SessionStart } from "./start-session.js";
import { readSslMode, readTlsOptions } from "./tls.js";

/** Begins a session over an open socket, and sees whether it is of the wished kind. */
export type Login<Session> = (
  opened: OpenedSocket,
  request: SessionRequest,
  wish: SessionWish,
) => Promise<SessionStart<Session>>;

/** What all attempts of one `connect` share. */
export interface Attempting<Session> {
  readonly conninfo: Conninfo;
  readonly homeDirectory: string;
  readonly replication: boolean;
  readonly console: boolean;
  /** Ends where a password is asked for: that the server asks is all there is to know. */
  readonly isAnonymous: boolean;
  readonly login: Login<Session>;
  /** For each address; null is no limit. */
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal | undefined;
  readonly anotherSocketEveryMs: number | null;
  readonly warn: (message: string) => void;
}

/** How an address ended, and where libpq would go on. */
export type AddressOutcome<Session> =
  | {
      readonly kind: "connected";
      readonly session: Session;
      readonly attempts: readonly ConnectionAttempt[];
    }
  | { readonly kind: "next-address" | "next-host" | "stop"; readonly attempts: readonly ConnectionAttempt[] };

/** Tries one address, with and without TLS as `sslmode` wants it. Throws the reason of the caller's signal. */
export async function tryAddress<Session>(
  attempting: Attempting<Session> & { readonly wish: SessionWish },
  address: ServerAddress,
): Promise<AddressOutcome<Session>> {
  const { conninfo, signal, isAnonymous } = attempting;
  const lookup = isAnonymous ? noPassword : await lookUpPassword(conninfo, address);
  if (lookup.warning !== null && !lookup.isSilent) attempting.warn(lookup.warning);
  const deadline = startDeadline(attempting.timeoutMs, signal);
  const attempts: ConnectionAttempt[] = [];
  try {
    for (const encryption of listEncryptions(conninfo, address)) {
      const tried = await tryOnce({ ...attempting, address, lookup, encryption, deadline: deadline.signal });
      if (tried.kind === "connected") return { ...tried, attempts };
      signal?.throwIfAborted();
      attempts.push(describeAttempt({ ...attempting, address, lookup }, tried));
      if (!isWorthOtherEncryption(encryption, tried)) return { kind: whereNext(tried.failure), attempts };
    }
    return { kind: "stop", attempts };
  } finally {
    deadline.release();
  }
}

interface Try<Session> extends Attempting<Session> {
  readonly wish: SessionWish;
  readonly address: ServerAddress;
  readonly lookup: CredentialLookup;
  readonly encryption: Encryption;
  readonly deadline: AbortSignal;
}

interface FailedTry {
  readonly kind: "failed";
  readonly failure: AttemptFailure;
  readonly encrypted: boolean;
  readonly authenticationSeen: boolean;
}

type TryOutcome<Session> = { readonly kind: "connected"; readonly session: Session } | FailedTry;

async function tryOnce<Session>(request: Try<Session>): Promise<TryOutcome<Session>> {
  const { conninfo, deadline, lookup, replication, console, login, wish } = request;
  let opened: OpenedSocket | null = null;
  let authenticationSeen = false;
  try {
    // Raced, because a stream that has ended in between tells nobody, and a promise that never settles ends Node silently.
    opened = await raceDeadline(openSocket({ ...request, readTlsOptions: () => readTls(request) }), deadline);
    const start = await raceDeadline(
      login(opened, { conninfo, replication, console, password: lookup.password }, wish),
      deadline,
    );
    authenticationSeen = start.kind === "started" || start.authenticationSeen;
    if (start.kind === "failed") throw start.failure;
    return { kind: "connected", session: start.session };
  } catch (error) {
    opened?.socket.destroy();
    const failure = deadline.aborted ? new AttemptFailure("timeout", "timeout expired") : error;
    if (!(failure instanceof AttemptFailure)) throw failure;
    return { kind: "failed", failure, encrypted: opened?.encrypted === true, authenticationSeen };
  }
}

function readTls({ conninfo, homeDirectory }: Attempting<unknown>): Promise<ConnectionOptions> {
  return readTlsOptions(conninfo, homeDirectory);
}

function listEncryptions(conninfo: Conninfo, address: ServerAddress): readonly Encryption[] {
  if (address.kind === "socket") return ["none"];
  switch (readSslMode(conninfo)) {
    case "disable":
      return ["none"];
    case "allow":
      return ["none", "if-offered"];
    case "prefer":
      return ["if-offered", "none"];
    case "require":
    case "verify-ca":
    case "verify-full":
      return ["required"];
  }
}

/** A refusal by the server may be about TLS (`hostssl` and `hostnossl` lines), so libpq tries the other way too. */
function isWorthOtherEncryption(encryption: Encryption, { failure, encrypted }: FailedTry): boolean {
  if (failure.kind === "tls") return encryption === "if-offered";
  if (failure.kind !== "rejected" || failure.sqlState === null) return false;
  return encryption === "if-offered" ? encrypted : encryption === "none";
}

function whereNext(failure: AttemptFailure): "next-address" | "next-host" | "stop" {
  switch (failure.kind) {
    case "refused":
    case "no-such-socket":
    case "unreachable":
    case "timeout":
      return "next-address";
    case "starting-up":
    case "wrong-session":
    case "unresolvable":
      return "next-host";
    case "tls":
    case "no-password":
    case "unknown-method":
    case "rejected":
    case "protocol":
    case "invalid-parameter":
      return "stop";
  }
}

/** Where the password of this address came from. */
interface CredentialLookup extends PasswordLookup {
  /** The password file that was asked; null when the password was given. */
  readonly passfile: string | null;
}

const noPassword: CredentialLookup = { password: null, warning: null, isSilent: true, passfile: null };

async function lookUpPassword(conninfo: Conninfo, address: ServerAddress): Promise<CredentialLookup> {
  const given = conninfo.get("password") ?? "";
  if (given !== "") return { password: given, warning: null, isSilent: true, passfile: null };
  const passfile = conninfo.get("passfile") ?? "";
  const key = {
    host: hostOfPasswordFile(address.host),
    port: String(address.host.port),
    database: conninfo.get("dbname") ?? "",
    user: conninfo.get("user") ?? "",
  };
  return { ...(await findPassword(passfile, key)), passfile };
}

const INVALID_PASSWORD = "28P01";

function describeAttempt(
  request: Pick<Try<unknown>, "conninfo" | "address" | "lookup" | "replication">,
  { failure, authenticationSeen }: FailedTry,
): ConnectionAttempt {
  const { lookup, address } = request;
  const passfile = failure.sqlState === INVALID_PASSWORD ? lookup.passfile : null;
  const note = passfile === null ? "" : `\npassword retrieved from file "${passfile}"`;
  const hint = hintFor(failure, request);
  return {
    kind: failure.kind,
    message: `${describeAddress(address)}${failure.message}${note}`,
    sqlState: failure.sqlState,
    authenticationSeen,
    ...(hint === undefined ? {} : { hint }),
  };
}
