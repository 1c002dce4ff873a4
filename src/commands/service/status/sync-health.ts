import { createStandingSession } from "../../../coordination/standing-session.js";
import { judgeSyncHealth, type SyncHealth, type SyncHealthFacts } from "../../../decide/sync-health.js";
import { readExclusion } from "../../../metadata/cluster-record.js";
import { lookAtSync } from "../../../metadata/sync-state.js";
import { ConninfoError, parseConninfo } from "../../../model/conninfo.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import type { CommandContext } from "../../define-command.js";

const ANSWER_WITHIN_MS = 3000;

interface KnownNode {
  readonly record: NodeRecord;
  readonly isPrimary: boolean;
  readonly hasDaemon: boolean;
}

/** Asks the primary by which standbys commits are kept; null while `sync_mode` is off on this node. */
export async function gatherSyncHealth(
  context: Pick<CommandContext, "databases" | "settings">,
  nodes: readonly KnownNode[],
): Promise<SyncHealth | null> {
  const { sync_mode: mode, sync_standby_timeout: timeoutMs } = context.settings;
  if (mode === "off") return null;
  const primary = nodes.find(({ isPrimary }) => isPrimary);
  const witness = nodes.find(({ record }) => record.type === "witness");
  const [look, record] = await Promise.all([
    primary === undefined ? null : lookAt(context, primary),
    witness === undefined ? null : ask(context, witness, readExclusion),
  ]);
  return judgeSyncHealth({
    mode,
    primary: look,
    members: nodes.map((node) => node.record),
    witness: record === null ? null : { record: record.value },
    timeoutMs,
  });
}

async function lookAt(
  context: Pick<CommandContext, "databases">,
  node: KnownNode,
): Promise<SyncHealthFacts["primary"]> {
  const look = await ask(context, node, lookAtSync);
  if (look === null) return null;
  const { nodeId, nodeName } = node.record;
  return { nodeId, nodeName, hasDaemon: node.hasDaemon, look: look.value };
}

async function ask<T>(
  { databases }: Pick<CommandContext, "databases">,
  { record }: KnownNode,
  what: (database: Database) => Promise<T>,
): Promise<{ readonly value: T } | null> {
  try {
    const session = createStandingSession({ databases, conninfo: parseConninfo(record.conninfo) });
    const answer = await session.use(ANSWER_WITHIN_MS, what);
    void session.close();
    return answer.kind === "answered" ? { value: answer.value } : null;
  } catch (error) {
    if (error instanceof ConninfoError) return null;
    throw error;
  }
}
