import { UserError } from "../errors/user-error.js";
import { isLocalPooler, type PoolerAddress } from "../model/pooler.js";
import { raceDeadline, startDeadline } from "../postgres/deadline.js";
import { quoteForShell } from "../postgres/service-control.js";
import type { RemoteHosts } from "../remote/remote-hosts.js";
import type { Processes } from "../system/processes.js";

/** The way to a file on the host of a pgbouncer: over SSH, or on this host. */
export interface FileAccess {
  readonly processes: Processes;
  readonly remoteHosts: RemoteHosts;
  readonly pooler: PoolerAddress;
  readonly path: string;
  readonly timeoutMs: number;
}

/** A database file could not be read or written; the message is the reason. */
export class DatabaseFileError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "DatabaseFileError";
  }
}

/** Throws DatabaseFileError. */
export async function readDatabaseFile(access: FileAccess): Promise<string> {
  const text = await runThere(access, `cat < ${quoteForShell(access.path)}`);
  if (text.includes("\uFFFD")) throw new DatabaseFileError(`"${access.path}" is not encoded in UTF-8`);
  return text;
}

/**
 * Replaces the content in one step and keeps owner and mode. Where the directory or the owner does not allow that, as in
 * Debian's /etc/pgbouncer, the file is written in place. Throws DatabaseFileError; the file is then as it was, unless
 * the disk is full.
 */
export async function replaceDatabaseFile(access: FileAccess, text: string): Promise<void> {
  await runThere(access, buildReplacement(access.path, Buffer.byteLength(text)), text);
}

/** Whether this user could replace the file. Throws DatabaseFileError when not. */
export async function probeDatabaseFile(access: FileAccess): Promise<void> {
  await runThere(access, `test -w ${quoteForShell(access.path)} || { echo 'not writable' >&2; exit 1; }`);
}

/** One line, for login shells of every kind. The size tells a connection that broke on the way from the end of the text. */
function buildReplacement(path: string, bytes: number): string {
  return [
    `set -e; file=$(readlink -f ${quoteForShell(path)}); test -f "$file"; beside=yes;`,
    'new=$(mktemp "${file%/*}/.tsrepmgr.XXXXXX" 2>/dev/null) || { beside=no; new=$(mktemp); };',
    "trap 'rm -f \"$new\"' EXIT;",
    `cat > "$new"; test "$(wc -c < "$new")" -eq ${bytes};`,
    'if test $beside = yes && chown "$(stat -c %u:%g "$file")" "$new" 2>/dev/null;',
    'then chmod "$(stat -c %a "$file")" "$new"; sync "$new"; mv -f "$new" "$file";',
    'else cat "$new" > "$file"; fi',
  ].join(" ");
}

async function runThere(access: FileAccess, script: string, input?: string): Promise<string> {
  const { processes, pooler, path, timeoutMs } = access;
  const options = { timeoutMs, ...(input === undefined ? {} : { input }) };
  const result = isLocalPooler(pooler)
    ? await processes.run("/bin/sh", ["-c", script], options)
    : await (await connectToHost(access)).run(script, options).catch(failFile);
  if (result.timedOut) throw new DatabaseFileError(`"${path}": no answer within ${timeoutMs / 1000} seconds`);
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.trim() || `exit code ${result.exitCode ?? "unknown"}`;
  throw new DatabaseFileError(`"${path}": ${said}`);
}

/** Connecting keeps its place in the cache of hosts: what is late now may be there for the next call. */
async function connectToHost({ remoteHosts, pooler, timeoutMs }: FileAccess) {
  const deadline = startDeadline(timeoutMs);
  try {
    return await raceDeadline(remoteHosts.connect(pooler.host), deadline.signal);
  } catch (error) {
    if (!deadline.signal.aborted) return failFile(error);
    throw new DatabaseFileError(
      `host "${pooler.host}" did not answer over SSH within ${timeoutMs / 1000} seconds`,
    );
  } finally {
    deadline.release();
  }
}

/** An interruption ends here too: once the server is promoted, the other pgbouncers are still led to it. */
function failFile(error: unknown): never {
  if (!(error instanceof Error)) throw error;
  const detail = error instanceof UserError && error.detail !== undefined ? `: ${error.detail}` : "";
  throw new DatabaseFileError(`${error.message}${detail}`, error);
}
