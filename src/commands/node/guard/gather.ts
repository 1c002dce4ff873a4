import { readKnownCluster, type KnownCluster } from "../../../coordination/known-cluster.js";
import { lookAtServer } from "../../../coordination/look-at-server.js";
import { createHistories, toMemberAnswer } from "../../../coordination/member-answers.js";
import { createPeerSessions } from "../../../coordination/peer-sessions.js";
import { createStandingSession } from "../../../coordination/standing-session.js";
import { findStateDirectory, type StateDirectory } from "../../../coordination/state-directory.js";
import { isFinal, judgeStart, type StartFacts, type StartVerdict } from "../../../decide/guard.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { listNodes } from "../../../metadata/nodes.js";
import type { MemberAnswer } from "../../../model/member-report.js";
import { nodeId, type NodeId, type NodeRecord } from "../../../model/node-record.js";
import { readControlFile, type ControlFile } from "../../../postgres/control-file.js";
import { readDataDirectoryState } from "../../../postgres/data-directory.js";
import { readOwnHistory } from "../../../postgres/own-history.js";
import { findProgramDirectory } from "../../../postgres/program-directory.js";
import type { CommandContext } from "../../define-command.js";
import { recoveryPointOf } from "../rejoin/gather-local.js";

const ANSWER_WITHIN_MS = 1000;
const ASK_AGAIN_MS = 200;
/** Of each of these files PostgreSQL makes a standby, or a recovery that ends with a timeline of its own. */
const SIGNAL_FILES = ["standby.signal", "recovery.signal", "recovery.conf"];

export interface StoppedNode {
  readonly control: ControlFile;
  readonly binDirectory: string;
  readonly isRunning: boolean;
  readonly isStandby: boolean;
  readonly stateDirectory: StateDirectory;
  /** Null when nothing was kept that can be used. */
  readonly known: KnownCluster | null;
}

/** What this host alone tells. Throws UserError (code 1) when the data directory cannot be read. */
export async function gatherStoppedNode(context: CommandContext): Promise<StoppedNode> {
  const { settings, environment, processes, reporter } = context;
  const { data_directory: dataDirectory, pg_bindir: configured } = settings;
  const directory = await readDataDirectoryState(dataDirectory);
  if (directory.kind !== "directory" || !directory.isDataDirectory)
    throw new UserError(exitCodes.badConfiguration, {
      message: `data directory "${dataDirectory}" does not contain a PostgreSQL instance`,
      hint: 'check "data_directory" in repmgr.conf',
    });
  const searchPath = environment.variables["PATH"] ?? "";
  const binDirectory = await findProgramDirectory({ configured, dataDirectory, searchPath });
  const reading = await readControlFile(processes, { binDirectory, dataDirectory });
  if (reading.kind === "unreadable")
    throw new UserError(exitCodes.badConfiguration, {
      message: `unable to read pg_control in "${dataDirectory}"`,
      detail: reading.reason,
      hint: 'check "data_directory" and "pg_bindir" in repmgr.conf',
    });
  const { control } = reading;
  const owner = { nodeId: nodeId(settings.node_id), systemIdentifier: control.systemIdentifier };
  const stateDirectory = await findStateDirectory(settings, environment);
  const kept =
    stateDirectory.kind === "found"
      ? await readKnownCluster(stateDirectory.path, owner)
      : { kind: "absent" as const };
  if (kept.kind === "unusable")
    reporter.warning(`what this node knew of the cluster cannot be used: "${kept.path}"`, {
      detail: kept.reason,
      hint: "it is written again by the daemon, and by registering the node",
    });
  return {
    control,
    binDirectory,
    isRunning: typeof directory.serverPid === "number",
    isStandby: SIGNAL_FILES.some((name) => directory.entries.includes(name)),
    stateDirectory,
    known: kept.kind === "read" ? kept.cluster : null,
  };
}

export interface Hearing {
  readonly facts: StartFacts;
  readonly verdict: StartVerdict;
  readonly records: readonly NodeRecord[];
}

/** Asks all other nodes at once, again and again, until the answer is sure or the time is over. */
export async function hearOthers(
  context: CommandContext,
  { control, isStandby, known }: StoppedNode,
  waitMs: number,
): Promise<Hearing> {
  const { clock, connection, databases, settings, reporter } = context;
  const self = nodeId(settings.node_id);
  const timeline = Math.max(recoveryPointOf(control).timeline, known?.timeline ?? 0);
  const history = (await readOwnHistory(settings.data_directory, timeline)) ?? [];
  const server = { systemIdentifier: control.systemIdentifier, timeline, history, isStandby };
  const records = new Map((known?.records ?? []).map((record) => [record.nodeId, record]));
  const answers = new Map<NodeId, MemberAnswer>();
  // What was kept may be of a time when the node was alone: a node that was named knows better.
  let isGivenHeard = connection.size === 0;
  const hear = (): Hearing => {
    const isAlone = [...records.keys()].every((id) => id === self);
    const members = isAlone && !isGivenHeard ? [] : [...records.values()];
    const facts = {
      self,
      server,
      known: describeKnown(known, self),
      members,
      answers: [...answers.values()],
    };
    return { facts, verdict: judgeStart(facts), records: members };
  };
  const isSure = ({ verdict, facts }: Hearing): boolean =>
    isFinal(verdict, facts) &&
    (isGivenHeard || verdict.kind !== "may-start" || verdict.because !== "majority");
  const first = hear();
  if (isSure(first)) return first;

  const enough = new AbortController();
  const deadline = clock.monotonic() + Math.max(waitMs, ANSWER_WITHIN_MS * 0.9);
  const peers = createPeerSessions(databases);
  const histories = createHistories({ databases, reporter, settings: () => settings });
  const again = async (attempt: (timeoutMs: number) => Promise<boolean>): Promise<void> => {
    while (!enough.signal.aborted && clock.monotonic() < deadline) {
      if (await attempt(Math.min(ANSWER_WITHIN_MS, deadline - clock.monotonic()))) return;
      await clock.sleep(ASK_AGAIN_MS, enough.signal).catch(() => undefined);
    }
  };
  const askNode = (record: NodeRecord): Promise<void> =>
    again(async (timeoutMs) => {
      const answer = await peers
        .of(record)
        .use(timeoutMs, (database) => lookAtServer(database, record.nodeId));
      const heard = await toMemberAnswer({ record, answer }, histories);
      answers.set(record.nodeId, heard);
      if (isSure(hear())) enough.abort();
      return heard.kind === "answered";
    });
  const askGivenNode = async (): Promise<void> => {
    if (connection.size === 0) return;
    const session = createStandingSession({ databases, conninfo: connection });
    const asked: Promise<void>[] = [];
    await again(async (timeoutMs) => {
      const answer = await session.use(timeoutMs, listNodes);
      if (answer.kind !== "answered") return false;
      for (const record of answer.value) {
        const isNew = !records.has(record.nodeId) && record.nodeId !== self;
        records.set(record.nodeId, record);
        if (isNew) asked.push(askNode(record));
      }
      isGivenHeard = true;
      if (isSure(hear())) enough.abort();
      return true;
    });
    void session.close();
    await Promise.all(asked);
  };
  const others = [...records.values()].filter((record) => record.nodeId !== self);
  await Promise.race([
    Promise.all([...others.map(askNode), askGivenNode()]),
    clock.sleep(deadline - clock.monotonic(), enough.signal).catch(() => undefined),
  ]);
  void peers.close();
  return hear();
}

function describeKnown(known: KnownCluster | null, self: NodeId): StartFacts["known"] {
  if (known === null) return null;
  const own = known.records.find((record) => record.nodeId === self);
  const isRecordedPrimary = own === undefined || (own.type === "primary" && own.active);
  return { termRow: known.termRow, promotions: known.promotions, isRecordedPrimary };
}
