import { readKnownCluster } from "../../../coordination/known-cluster.js";
import { findStateDirectory } from "../../../coordination/state-directory.js";
import type { RejoinFacts } from "../../../decide/rejoin.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findNode, findRegisteredPrimary } from "../../../metadata/nodes.js";
import { maskConninfo, parseConninfo } from "../../../model/conninfo.js";
import { describeNode, nodeId } from "../../../model/node-record.js";
import type { PromotionRecord } from "../../../model/vote.js";
import type { Database } from "../../../postgres/database.js";
import { findNewestTimeline } from "../../../postgres/own-history.js";
import { readEndOfWal } from "../../../postgres/rewind.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import {
  askUpstream,
  findFormerUpstream,
  findIncompleteRecord,
  furthest,
  readSharedTimeline,
  readTargetPosition,
  type Participants,
} from "../../gather-attachment.js";
import { firstRecordKnown, readLocalHistory, recoveryPointOf, type LocalServer } from "./gather-local.js";

const refuse = (message: string, rest: { detail?: string; hint?: string } = {}): UserError =>
  new UserError(exitCodes.badConfiguration, { message, ...rest });

/** Finds the primary through the node that the command line names. Throws UserError (codes 6 and 1). */
export async function findRejoinTarget(context: CommandContext): Promise<Participants> {
  const { connection, reporter, settings } = context;
  const given = await openDatabaseOrFail(context, connection, {
    exitCode: exitCodes.databaseConnection,
    message: `unable to connect to "${maskConninfo(connection)}"`,
    hint: "name a running node of the cluster with -d/--dbname or -h/--host",
  });
  const target = await findRegisteredPrimary(given);
  if (target === null) {
    throw refuse("unable to retrieve record for the cluster's primary node", {
      detail: "no active primary is registered on the given node",
      hint: 'check with "cluster show"; "primary register --force" on the primary records it',
    });
  }
  reporter.notice(`rejoin target is node ${describeNode(target)}`);
  const ownId = nodeId(settings.node_id);
  if (target.nodeId === ownId) {
    throw refuse("the rejoin target is this node itself", {
      detail: "the given node still has this node as the primary",
      hint: "promote a standby first, or name a node that knows the new primary",
    });
  }
  const database = await connectToTarget(context, target.conninfo);
  if (await isInRecovery(database)) {
    throw refuse(`rejoin target node ${describeNode(target)} is not a primary`, {
      detail: "it is registered as the primary, but its server is in recovery",
      hint: 'check with "cluster show" which node is the primary',
    });
  }
  const own = await findNode(database, ownId);
  if (own === null) {
    throw refuse(`unable to retrieve node record for the local node (ID: ${ownId})`, {
      detail: `node ${describeNode(target)} does not know it`,
      hint: 'check "node_id" in repmgr.conf; a node that was unregistered is cloned and registered again',
    });
  }
  return { own, target, targetDatabase: database, primaryDatabase: database };
}

function connectToTarget(context: CommandContext, conninfo: string): Promise<Database> {
  return openDatabaseOrFail(context, parseConninfo(conninfo), {
    exitCode: exitCodes.badConfiguration,
    message: `unable to connect to rejoin target with "${maskConninfo(conninfo)}"`,
    hint: "the conninfo of its node record must work from this host",
  });
}

/** Reads what `planRejoin` needs. Throws UserError where the target does not answer the question. */
export async function gatherRejoinFacts(
  context: CommandContext,
  { control, majorVersion, binDirectory, unfinishedRewind }: LocalServer,
  participants: Participants & { readonly isClean: boolean },
): Promise<RejoinFacts> {
  const { own, target, targetDatabase, isClean } = participants;
  const { settings, processes } = context;
  const point = recoveryPointOf(control);
  const there = await readTargetPosition(context, {
    record: target,
    database: targetDatabase,
    purpose: "rejoin",
  });
  // pg_control of a crashed server knows its last checkpoint or restart point, which may be promotions ago.
  const timeline = isClean ? point.timeline : await findNewestTimeline(settings.data_directory, point);
  const localHistory = await readLocalHistory(context, timeline);
  const incompleteRecord = await findIncompleteRecord(context, there, {
    timeline,
    readSegmentBytes: () => Promise.resolve(control.walSegmentBytes),
  });
  // pg_waldump waits seconds for a segment that is missing, and cannot tell then.
  const endOfWal =
    incompleteRecord?.lsn ??
    (await readEndOfWal(processes, {
      binDirectory,
      dataDirectory: settings.data_directory,
      timeline,
      from: firstRecordKnown(control, { timeline, history: localHistory }),
    }));
  // After a rewind that was interrupted the WAL is of both, and the run before has judged it.
  const sharesTimeline =
    unfinishedRewind === null
      ? await readStoppedTimeline(context, { control, binDirectory }, { there, database: targetDatabase })
      : null;
  const position = isClean ? point : { timeline, lsn: furthest(point.lsn, endOfWal) };
  return {
    own,
    target: await askUpstream(participants),
    attach: {
      local: { nodeId: own.nodeId, systemIdentifier: control.systemIdentifier, ...position },
      ...there,
      localHistory,
      sharesTimeline,
    },
    incompleteRecord,
    isClean,
    wasStandby: control.state === "in archive recovery" || control.state === "shut down in recovery",
    unfinishedRewind,
    endOfWal,
    hasChecksums: control.checksumVersion !== 0,
    walLogHints: control.walLogHints,
    localVersion: majorVersion,
    targetServer: {
      majorVersion: Math.floor(targetDatabase.serverVersion / 10_000),
      fullPageWrites: await readFullPageWrites(targetDatabase),
    },
    formerUpstream: await findFormerUpstream(context, participants),
  };
}

/** Like `readSharedTimeline`, for a server that is down: it may have been promoted after its last checkpoint. */
export async function readStoppedTimeline(
  context: CommandContext,
  { control, binDirectory }: Pick<LocalServer, "control" | "binDirectory">,
  target: {
    readonly there: Pick<RejoinFacts["attach"], "target" | "targetHistory">;
    readonly database: Database;
  },
): Promise<boolean | null> {
  const { settings, processes } = context;
  const point = recoveryPointOf(control);
  const timeline = await findNewestTimeline(settings.data_directory, point);
  const history = await readLocalHistory(context, timeline);
  if (history === null) return null;
  return readSharedTimeline(context, {
    local: { timeline, history, promotions: await readKeptPromotions(context, control.systemIdentifier) },
    ...target,
    endOf: async (on, from) =>
      on === point.timeline && point.lsn > from
        ? point.lsn
        : readEndOfWal(processes, {
            binDirectory,
            dataDirectory: settings.data_directory,
            timeline: on,
            from,
          }),
  });
}

/** Those that this node had in its log when its server was up. */
async function readKeptPromotions(
  { settings, environment }: CommandContext,
  systemIdentifier: string,
): Promise<readonly PromotionRecord[]> {
  const directory = await findStateDirectory(settings, environment);
  if (directory.kind === "missing") return [];
  const owner = { nodeId: nodeId(settings.node_id), systemIdentifier };
  const kept = await readKnownCluster(directory.path, owner);
  return kept.kind === "read" ? kept.cluster.promotions : [];
}

async function readFullPageWrites(database: Database): Promise<boolean> {
  const [row] = await database.query<{ is_on: boolean }>(
    "SELECT pg_catalog.current_setting('full_page_writes') = 'on' AS is_on",
  );
  return row?.is_on ?? false;
}
