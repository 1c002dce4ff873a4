import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure } from "./attempt-failure.js";
import { type ConnectionAttempt, ConnectionError, refuseParameter } from "./connection-error.js";
import type { ConnectOptions, Databases } from "./database.js";
import { raceDeadline, startDeadline } from "./deadline.js";
import { type ConnectionEnvironment, resolveConninfo } from "./environment-defaults.js";
import { judgePing } from "./ping.js";
import { probeServer } from "./probe-server.js";
import { listHosts, resolveHost, type ServerAddress, type ServerHost } from "./server-addresses.js";
import { makeDatabase } from "./session.js";
import { checkSessionWish, readSessionWish, type SessionWish } from "./session-attributes.js";
import { type StartedSession, startSession } from "./start-session.js";
import { type AddressOutcome, type Attempting, type Login, tryAddress } from "./try-address.js";
import { readSslMode } from "./tls.js";

export interface DatabasesOptions {
  /** Receives libpq's warnings, such as the one of a password file that others may read. */
  readonly warn?: (message: string) => void;
}

/** The way to real servers, with the defaults of this user's environment. */
export function createDatabases(
  environment: ConnectionEnvironment,
  options: DatabasesOptions = {},
): Databases {
  const warnings = new Set<string>();
  const warn = (message: string): void => {
    if (!warnings.has(message)) options.warn?.(message);
    warnings.add(message);
  };
  const prepare = async <Session>(
    conninfo: Conninfo,
    login: Login<Session>,
    connectOptions: ConnectOptions & { readonly isAnonymous?: true },
  ): Promise<Attempting<Session>> => {
    const wanted =
      connectOptions.replication === true ? new Map([...conninfo, ["dbname", "replication"]]) : conninfo;
    const resolved = await resolveConninfo(wanted, environment);
    refuseImpossible(resolved);
    return {
      conninfo: resolved,
      login,
      homeDirectory: environment.homeDirectory,
      replication: connectOptions.replication === true,
      console: connectOptions.console === true,
      isAnonymous: connectOptions.isAnonymous === true,
      timeoutMs: readTimeout(resolved),
      signal: connectOptions.signal,
      anotherSocketEveryMs: connectOptions.anotherSocketEveryMs ?? null,
      warn,
    };
  };
  return {
    connect: async (conninfo, connectOptions = {}) => {
      const attempting = await prepare(conninfo, startWished, connectOptions);
      return makeDatabase(await connectToFirst(attempting), attempting.conninfo, connectOptions);
    },
    ping: (conninfo) =>
      judgePing(async () => connectToFirst(await prepare(conninfo, probe, { isAnonymous: true }))),
  };
}

const startWished: Login<StartedSession> = async (opened, request, wish) => {
  const start = await startSession(opened, request);
  if (start.kind === "failed") return start;
  try {
    await checkSessionWish(start.session, wish);
    return start;
  } catch (error) {
    if (!(error instanceof AttemptFailure)) throw error;
    return { kind: "failed", failure: error, authenticationSeen: true };
  }
};

/** What kind of session it would be has to be asked in one. */
const probe: Login<null> = async (opened, request, wish) => {
  if (wish === "any") return probeServer(opened, request);
  const start = await startWished(opened, request, wish);
  if (start.kind === "failed") return start;
  start.session.client.end().catch(() => undefined);
  return { kind: "started", session: null };
};

/** Goes through hosts and addresses in libpq's order until one gives a session of the wished kind. */
async function connectToFirst<Session>(attempting: Attempting<Session>): Promise<Session> {
  const { conninfo } = attempting;
  const hosts = listHosts(conninfo);
  const wish = readSessionWish(conninfo);
  const attempts: ConnectionAttempt[] = [];
  for (const itsWish of wish === "prefer-standby" ? ([wish, "any"] as const) : [wish]) {
    for (const host of hosts) {
      const outcome = await tryHost({ ...attempting, wish: itsWish }, host);
      attempts.push(...outcome.attempts);
      if (outcome.kind === "connected") return outcome.session;
      if (outcome.kind === "stop") throw toConnectionError(attempts);
    }
  }
  throw toConnectionError(attempts);
}

async function tryHost<Session>(
  attempting: Attempting<Session> & { readonly wish: SessionWish },
  host: ServerHost,
): Promise<AddressOutcome<Session>> {
  const attempts: ConnectionAttempt[] = [];
  const addresses = await findAddresses(attempting, host);
  if ("failure" in addresses) return { kind: "next-host", attempts: [addresses.failure] };
  for (const address of addresses.found) {
    const outcome = await tryAddress(attempting, address);
    attempts.push(...outcome.attempts);
    if (outcome.kind !== "next-address") return { ...outcome, attempts };
  }
  return { kind: "next-host", attempts };
}

async function findAddresses(
  { conninfo, timeoutMs, signal }: Attempting<unknown>,
  host: ServerHost,
): Promise<{ readonly found: readonly ServerAddress[] } | { readonly failure: ConnectionAttempt }> {
  const deadline = startDeadline(timeoutMs, signal);
  try {
    return { found: await raceDeadline(resolveHost(host, conninfo), deadline.signal) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!deadline.signal.aborted && !(error instanceof AttemptFailure)) throw error;
    return {
      failure: {
        kind: "unresolvable",
        message:
          error instanceof AttemptFailure
            ? error.message
            : `could not translate host name "${host.name}" to address: timeout expired`,
        hint: `check the spelling of "${host.name}", and DNS or /etc/hosts of this machine`,
        sqlState: null,
        authenticationSeen: false,
      },
    };
  } finally {
    deadline.release();
  }
}

function toConnectionError(attempts: readonly ConnectionAttempt[]): ConnectionError {
  const [first, ...others] = attempts;
  if (first === undefined) return refuseParameter("no host to connect to");
  return new ConnectionError([first, ...others]);
}

/** Null: no limit. */
function readTimeout(conninfo: Conninfo): number | null {
  const text = conninfo.get("connect_timeout") ?? "";
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw refuseParameter(`invalid integer value "${text}" for connection option "connect_timeout"`);
  }
  return Number(text) > 0 ? Number(text) * 1000 : null;
}

/** What libpq can do and we cannot is refused when it would weaken the protection that was asked for. */
function refuseImpossible(conninfo: Conninfo): void {
  readSslMode(conninfo);
  const channelBinding = conninfo.get("channel_binding") ?? "";
  if (!["", "disable", "prefer", "require"].includes(channelBinding)) {
    throw refuseParameter(`invalid channel_binding value: "${channelBinding}"`);
  }
  if (conninfo.get("gssencmode") === "require") {
    throw refuseParameter(
      "gssencmode=require is not supported: this program has no GSSAPI",
      "use sslmode=require",
    );
  }
  if (conninfo.get("sslcertmode") === "require")
    throw refuseParameter("sslcertmode=require is not supported");
  if ((conninfo.get("requirepeer") ?? "") !== "") {
    throw refuseParameter(
      "requirepeer is not supported: Node does not tell who owns the other end of a socket",
      "leave it out, or use a host name and sslmode=verify-full",
    );
  }
}
