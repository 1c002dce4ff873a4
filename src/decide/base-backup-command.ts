import { formatConninfo } from "../model/conninfo.js";
import { isSecretKeyword } from "../model/conninfo-keywords.js";
import type { WalMethod } from "./basebackup-options.js";
import type { CloneRequest, SourceServer } from "./clone-facts.js";

/** A program with its arguments; no shell is involved. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/** The reference's priority of users for the replication connection. */
export function chooseReplicationUser(
  request: Pick<CloneRequest, "replicationUser" | "configuredReplicationUser">,
  upstreamReplicationUser: string | null,
  connectionUser: string,
): string {
  return (
    request.replicationUser ?? upstreamReplicationUser ?? request.configuredReplicationUser ?? connectionUser
  );
}

export function walMethodOf({ baseBackupOptions }: Pick<CloneRequest, "baseBackupOptions">): WalMethod {
  return baseBackupOptions.walMethod ?? "stream";
}

/** Streaming needs a second walsender beside the one that sends the data. */
export function countReplicationConnections(request: Pick<CloneRequest, "baseBackupOptions">): number {
  return walMethodOf(request) === "stream" ? 2 : 1;
}

/** Whether the WAL of the backup itself is held by this node's slot. */
function usesOwnSlot(request: CloneRequest): boolean {
  const { slot, noSlot } = request.baseBackupOptions;
  return request.useReplicationSlots && slot === null && !noSlot && walMethodOf(request) === "stream";
}

/** The pg_basebackup of a clone (reference: repmgr 5.5, `run_basebackup`). Passwords go by the environment. */
export function buildBaseBackupCommand(
  request: CloneRequest,
  source: Pick<SourceServer, "host" | "port">,
  { user, slotName }: { readonly user: string; readonly slotName: string },
): CommandLine {
  const { args, walMethod } = request.baseBackupOptions;
  return {
    program: inDirectory(request.binDirectory, "pg_basebackup"),
    args: [
      ...["-l", "repmgr base backup", "-D", request.dataDirectory],
      ...connectionArguments(request, source, user),
      ...(request.fastCheckpoint ? ["-c", "fast"] : []),
      ...request.tablespaceMappings.flatMap(({ oldDirectory, newDirectory }) => [
        "-T",
        `${escapeEqualsSign(oldDirectory)}=${escapeEqualsSign(newDirectory)}`,
      ]),
      ...(walMethod === null ? ["-X", "stream"] : []),
      ...(usesOwnSlot(request) ? ["-S", slotName] : []),
      ...args,
      // Never ask on the terminal; tell how far it is, and end when nobody listens any more.
      ...["-w", "-P"],
    ],
  };
}

function connectionArguments(
  request: CloneRequest,
  source: Pick<SourceServer, "host" | "port">,
  user: string,
): readonly string[] {
  if (!request.isSourceConninfoString) {
    return [...(source.host === "" ? [] : ["-h", source.host]), "-p", source.port, "-U", user];
  }
  const shown = [...request.source].filter(([keyword]) => !isSecretKeyword(keyword));
  return ["-d", formatConninfo(new Map(shown).set("user", user))];
}

const escapeEqualsSign = (directory: string): string => directory.replaceAll("=", "\\=");

export function inDirectory(directory: string, program: string): string {
  return directory === "" ? program : `${directory.replace(/\/+$/, "")}/${program}`;
}

/** The command as a shell would take it. */
export function renderCommandLine({ program, args }: CommandLine): string {
  return [program, ...args].map(quoteForDisplay).join(" ");
}

function quoteForDisplay(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return /["\\$`!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}
