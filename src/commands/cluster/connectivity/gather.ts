import {
  connectivity,
  type Connectivity,
  type ConnectivityFacts,
  parseReports,
  parseView,
  type Report,
  type View,
  type ViewAnswer,
} from "../../../decide/connectivity.js";
import { UserError } from "../../../errors/user-error.js";
import type { NodeId, NodeRecord } from "../../../model/node-record.js";
import { reachQuestion } from "../../../remote/reach-question.js";
import { connectRemoteNode, findSshHost, type RemoteProgram } from "../../../remote/remote-node.js";
import type { RemoteRunOptions } from "../../../remote/transport.js";
import type { CommandContext } from "../../define-command.js";
import { connectToCluster } from "../connect-to-cluster.js";
import { reachNodes } from "../reach-nodes.js";

export interface ConnectivityRequest {
  /** The node that we run on; null when nothing says which one it is. */
  readonly localId: NodeId | null;
  /** Whether hosts are asked whose server cannot be reached from here. */
  readonly asksUnreachable: boolean;
}

/** A remote program connects to nodes that may all be silent, for `connect_timeout` each when it is the reference. */
const REMOTE_TIMEOUT_MS = 60_000;

/**
 * Asks every node which nodes it can connect to: this one by itself, the others by one process on each, all at once.
 * Throws UserError when the records cannot be read.
 */
export async function gatherConnectivity(
  context: CommandContext,
  request: ConnectivityRequest,
): Promise<ConnectivityFacts> {
  context.remoteHosts.prepare();
  const { records: nodes } = await connectToCluster(context);
  const others = nodes.filter(({ nodeId }) => nodeId !== request.localId);
  const ways = new Map(others.map((node) => [node.nodeId, openWay(context, node)]));
  const tries = reachNodes(context, nodes);
  const isWorthAsking = async ({ nodeId }: NodeRecord): Promise<boolean> =>
    request.asksUnreachable || (await tries.get(nodeId)) === connectivity.reachable;
  const asked = nodes.map(async (node): Promise<readonly [NodeId, ViewAnswer] | null> => {
    const { nodeId } = node;
    if (nodeId === request.localId) return [nodeId, { kind: "seen", view: await settleView(tries) }];
    if (!(await isWorthAsking(node))) return null;
    return [nodeId, await askForView(context, { node, nodes, way: ways.get(nodeId) })];
  });
  const answers = new Map((await Promise.all(asked)).filter((answer) => answer !== null));
  return { nodes, answers, reports: [] };
}

/**
 * What the others know of nodes that this one cannot reach by SSH: each that answered is asked for its own matrix.
 * Nothing is asked when every node has answered.
 */
export async function gatherReports(
  context: CommandContext,
  request: ConnectivityRequest,
  { nodes, answers }: ConnectivityFacts,
): Promise<readonly Report[]> {
  if (![...answers.values()].some(({ kind }) => kind === "no-ssh")) return [];
  const helpers = nodes.filter(
    ({ nodeId }) => nodeId !== request.localId && answers.get(nodeId)?.kind === "seen",
  );
  const outputs = await Promise.all(
    helpers.map(async (node) => {
      const outcome = await runThere(context, {
        node,
        args: ["cluster", "matrix", "--csv", "--terse"],
      });
      return outcome.kind === "output" ? parseReports(outcome.stdout, nodes) : [];
    }),
  );
  return outputs.flat();
}

async function settleView(tries: ReadonlyMap<NodeId, Promise<Connectivity>>): Promise<View> {
  return new Map(await Promise.all([...tries].map(async ([nodeId, cell]) => [nodeId, await cell] as const)));
}

/** Connects to the host of a node while its server is tried, which takes as long; whoever waits for it hears a failure. */
function openWay({ remoteHosts }: CommandContext, node: NodeRecord): Promise<unknown> {
  const opened = (async () => remoteHosts.connect(findSshHost(node)))();
  opened.catch(() => undefined);
  return opened;
}

interface ViewQuestion extends Pick<RemoteQuestion, "node" | "way"> {
  readonly nodes: readonly NodeRecord[];
}

async function askForView(context: CommandContext, { node, nodes, way }: ViewQuestion): Promise<ViewAnswer> {
  const outcome = await runThere(context, {
    node,
    way,
    args: reachQuestion.args,
    variables: { [reachQuestion.variable]: "1" },
    isWhole: (stdout) => stdout.endsWith(`\n${reachQuestion.end}`),
  });
  if (outcome.kind !== "output") return outcome;
  const view = parseView(outcome.stdout, nodes);
  if (view !== null && outcome.stdout.trim() !== "") return { kind: "seen", view };
  if (outcome.stdout.trim() === "") return { kind: "silent", reason: outcome.stderr.trim() };
  return { kind: "unreadable", reason: outcome.stdout.trim() };
}

type RemoteOutcome =
  | { readonly kind: "output"; readonly stdout: string; readonly stderr: string }
  | Extract<ViewAnswer, { readonly kind: "no-ssh" }>;

interface RemoteQuestion extends Pick<RemoteRunOptions, "isWhole"> {
  readonly node: NodeRecord;
  /** A connection to its host that is being opened: when that fails, nothing else is tried. */
  readonly way?: Promise<unknown> | undefined;
  readonly args: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
}

async function runThere(
  context: CommandContext,
  { node, way, args, ...options }: RemoteQuestion,
): Promise<RemoteOutcome> {
  const { remoteHosts, settings, environment, interrupted } = context;
  const program: RemoteProgram = {
    programName: environment.programName,
    repmgrBindir: settings.repmgr_bindir,
    pgBindir: settings.pg_bindir,
    logLevel: "NOTICE",
  };
  try {
    await way;
    const remote = await connectRemoteNode(remoteHosts, node, program);
    const result = await remote.run(args, {
      timeoutMs: REMOTE_TIMEOUT_MS,
      signal: interrupted,
      ...options,
    });
    if (!result.timedOut) return { kind: "output", stdout: result.stdout, stderr: result.stderr };
    return { kind: "no-ssh", reason: `no answer within ${REMOTE_TIMEOUT_MS / 1000} seconds` };
  } catch (error) {
    if (!(error instanceof UserError) || interrupted.aborted) throw error;
    const reason = error.detail === undefined ? error.message : `${error.message}\n${error.detail}`;
    return { kind: "no-ssh", reason, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}
