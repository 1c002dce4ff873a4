import { askDaemon, type DaemonFacts } from "../../../coordination/ask-daemon.js";
import { lookAtLease, type ShownLease } from "../../../coordination/look-at-lease.js";
import { createStandingSession } from "../../../coordination/standing-session.js";
import { askNodes } from "../../../coordination/ask-nodes.js";
import { judgeArmed, type ArmedVerdict } from "../../../decide/armed.js";
import { assessCluster, type ClusterHealth, type NodeHealth } from "../../../decide/cluster-health.js";
import { disarmExcluded, type SyncHealth } from "../../../decide/sync-health.js";
import { judgeLeaseArmed, type LeaseVerdict } from "../../../decide/lease-armed.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { ConninfoError, parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import { isRefusedByPooler } from "../../../model/pooler.js";
import { connectToLocalNode } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { readNodeRecords } from "../../read-node-records.js";
import { gatherSyncHealth } from "./sync-health.js";

export interface NodeService {
  /** Null without a lease, or when it is not known. */
  readonly lease: ShownLease | null;
  readonly health: NodeHealth;
  /** Null: nothing is known of it. */
  readonly daemon: DaemonFacts | null;
}

export interface ServiceStatus {
  readonly nodes: readonly NodeService[];
  readonly problems: ClusterHealth["problems"];
  readonly armed: ArmedVerdict;
  /** Null while `sync_mode` is off on this node. */
  readonly synchronous: SyncHealth | null;
  /** Null where no lease is configured. */
  readonly lease: LeaseVerdict | null;
}

const ANSWER_WITHIN_MS = 3000;

/** The node records of the local server. Throws UserError: code 6 without a connection, 1 without records. */
export async function readLocalRecords(context: CommandContext): Promise<readonly NodeRecord[]> {
  const database = await connectToLocalNode(context);
  const records = await readNodeRecords(context, database);
  if (records.length > 0) return records;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no node records were found",
    hint: `register a primary with "${context.environment.programName} primary register"`,
  });
}

/** Asks all nodes at once, for their servers and for their daemons. */
export async function gatherServiceStatus(context: CommandContext): Promise<ServiceStatus> {
  const records = await readLocalRecords(context);
  const [answers, daemons] = await Promise.all([
    askNodes(records, context),
    Promise.all(records.map((record) => readDaemon(context, record))),
  ]);
  const health = assessCluster({
    nodes: answers.flatMap((answer, index) => {
      const record = records[index];
      return record === undefined ? [] : [{ record, answer }];
    }),
  });
  const nodes = health.nodes.map((node, index) => {
    const { daemon = null, lease = null } = daemons[index] ?? {};
    return { health: node, daemon, lease };
  });
  const primary = nodes.find(
    ({ health: { record, answer } }) =>
      record.type !== "witness" && answer.kind === "answered" && !answer.state.inRecovery,
  );
  const synchronous = await gatherSyncHealth(
    context,
    nodes.map((node) => ({
      record: node.health.record,
      isPrimary: node === primary,
      hasDaemon: node.daemon?.isRunning === true,
    })),
  );
  return {
    nodes,
    problems: health.problems,
    armed: disarmExcluded(judge(context, nodes, primary), {
      synchronous,
      primary: primary?.health.record.nodeId ?? null,
    }),
    synchronous,
    lease: judgeLeaseArmed({
      members: records,
      timeoutMs: context.settings.primary_isolation_timeout,
      primary:
        primary === undefined
          ? null
          : {
              name: `node ${describeNode(primary.health.record)}`,
              isPaused: primary.daemon?.isPaused === true,
              lease: primary.lease,
            },
    }),
  };
}

async function readDaemon(
  { databases }: CommandContext,
  { conninfo }: NodeRecord,
): Promise<Pick<NodeService, "daemon" | "lease"> | null> {
  try {
    const session = createStandingSession({ databases, conninfo: parseConninfo(conninfo) });
    const answer = await session.use(ANSWER_WITHIN_MS, async (database) => ({
      daemon: await askDaemon(database),
      lease: await lookAtLease(database),
    }));
    void session.close();
    return answer.kind === "answered" ? answer.value : null;
  } catch (error) {
    if (error instanceof ConninfoError) return null;
    throw error;
  }
}

function judge(
  { settings }: CommandContext,
  nodes: readonly NodeService[],
  primary: NodeService | undefined,
): ArmedVerdict {
  return judgeArmed(
    nodes.map(({ health: { record, answer }, daemon }) => ({
      member: record,
      isServerReachable: answer.kind === "answered",
      isThroughPooler:
        daemon?.isThroughPooler === true || (answer.kind === "rejected" && isRefusedByPooler(answer.reason)),
      daemon: daemon?.isRunning === true ? daemon : null,
    })),
    primary?.health.record.nodeId ?? null,
    settings,
  );
}
