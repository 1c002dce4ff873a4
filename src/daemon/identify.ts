import type { StandingSession } from "../coordination/standing-session.js";
import { isLeasePossible } from "../decide/lease.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { listNodes } from "../metadata/nodes.js";
import { maskConninfo } from "../model/conninfo.js";
import { describeNode, nodeId, type NodeRecord } from "../model/node-record.js";
import { isRefusedByPooler } from "../model/pooler.js";
import { readIsThroughPooler } from "../postgres/pooler-between.js";
import { isInRecovery, readSystemIdentifier } from "../postgres/server-state.js";
import type { DaemonContext } from "./daemon-context.js";
import { POOLER_HINT } from "./pooler-notice.js";
import { startStoppedServer } from "./start-stopped.js";

/** The node that this daemon is of, as its own server tells. */
export interface Identity {
  readonly record: NodeRecord;
  readonly records: readonly NodeRecord[];
  readonly systemIdentifier: string;
}

const FIRST_ANSWER_MS = 3000;
const PAUSE_MS = 500;
const START_AGAIN_AFTER_MS = 10_000;

/**
 * Waits for the local server, however long it takes, and reads who we are. Who started us in the background is told
 * after the first attempt. Throws UserError when the server answers and has no record of this node, and the stop's
 * reason.
 */
export async function identify(context: DaemonContext, own: StandingSession): Promise<Identity> {
  const { reporter, clock, interrupted } = context;
  let lastReason: string | null = null;
  let startedAt = -Infinity;
  for (;;) {
    const answer = await own.use(FIRST_ANSWER_MS, async (database) => ({
      isBetween: await readIsThroughPooler(database),
      records: await listNodes(database),
      inRecovery: await isInRecovery(database),
      systemIdentifier: await readSystemIdentifier(database),
    }));
    if (answer.kind === "answered") {
      const { isBetween, records, inRecovery, systemIdentifier } = answer.value;
      if (isBetween) throw poolerBetween();
      const record = requireRecord(context, records);
      refuseContradiction(context, record, inRecovery);
      refuseLeaseOfTwo(context, records);
      context.reportReady();
      return { record, records, systemIdentifier };
    }
    if (answer.kind === "rejected" && isRefusedByPooler(answer.reason)) throw poolerBetween();
    if (answer.kind === "failed") throw noMetadata(context, answer.reason);
    context.reportReady();
    interrupted.throwIfAborted();
    if (lastReason !== answer.reason) {
      reporter.warning("the local server does not answer, waiting for it", {
        detail: `attempted to connect using:\n  ${maskConninfo(context.settings().conninfo)}\n${answer.reason}`,
      });
    }
    lastReason = answer.reason;
    if (answer.kind === "unreachable" && context.clock.monotonic() - startedAt >= START_AGAIN_AFTER_MS) {
      startedAt = context.clock.monotonic();
      await startStoppedServer(context);
    }
    await clock.sleep(PAUSE_MS, interrupted);
  }
}

/** It shows itself, and hears votes, in sessions that are its own. */
function poolerBetween(): UserError {
  return new UserError(exitCodes.badConfiguration, {
    message: '"conninfo" leads to a connection pooler',
    detail: "a daemon needs sessions on the local server itself",
    hint: POOLER_HINT,
  });
}

function noMetadata({ environment }: DaemonContext, reason: string): UserError {
  return new UserError(exitCodes.badConfiguration, {
    message: "unable to read the node records on the local server",
    detail: reason,
    hint: `register the node first with "${commandName(environment.programName)} standby register" or "… primary register"`,
  });
}

function requireRecord(context: DaemonContext, records: readonly NodeRecord[]): NodeRecord {
  const { environment } = context;
  const id = nodeId(context.settings().node_id);
  const record = records.find((candidate) => candidate.nodeId === id);
  if (record !== undefined) return record;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no metadata record found for this node - terminating",
    detail: `node ID in repmgr.conf is ${id}`,
    hint: `check that "${commandName(environment.programName)} (primary|standby) register" was executed for this node`,
  });
}

/** An inactive record that says something else than the server is (reference: repmgrd 1.3). */
function refuseContradiction(context: DaemonContext, record: NodeRecord, inRecovery: boolean): void {
  const { reporter } = context;
  const { failover, repmgrd_exit_on_inactive_node: exits } = context.settings();
  if (record.active) return;
  const name = describeNode(record);
  const isOther = (record.type === "standby") !== inRecovery;
  if (isOther) {
    reporter.warning(
      `the record of node ${name} says ${record.type} and inactive, its server is ${
        inRecovery ? "in recovery" : "read-write"
      }`,
      {
        hint: `register the node again with "${record.type === "standby" ? "primary" : "standby"} register --force"`,
      },
    );
    return;
  }
  if (exits && failover === "automatic") {
    throw new UserError(exitCodes.badConfiguration, {
      message: `this node is marked as inactive and cannot be used as a failover target`,
      detail: `node is ${name}, "repmgrd_exit_on_inactive_node" is set`,
      hint: `register the node again with "${record.type} register --force"`,
    });
  }
  reporter.warning(`node ${name} is marked as inactive`);
}

/** Each loss of the standby would stop the primary, and nobody could be promoted. */
function refuseLeaseOfTwo(context: DaemonContext, records: readonly NodeRecord[]): void {
  const { primary_isolation_timeout: timeout } = context.settings();
  if (timeout === null || isLeasePossible(records)) return;
  const names = records.map((record) => describeNode(record)).join(" and ");
  throw new UserError(exitCodes.badConfiguration, {
    message: '"primary_isolation_timeout" needs three registered nodes',
    detail: `the nodes are ${names}: neither is a majority without the other`,
    hint: `register a witness with "${commandName(context.environment.programName)} witness register", or set "primary_isolation_timeout=0"`,
  });
}

/** The command that belongs to the name the daemon was called by. */
const commandName = (programName: string): string => programName.replace(/d$/, "");
