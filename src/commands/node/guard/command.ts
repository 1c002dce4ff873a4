import { decideStart, type StartDecision } from "../../../decide/guard.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { renderJsonDocument } from "../../../output/json.js";
import type { RecoveryParameters } from "../../../decide/recovery-parameters.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import { becomeStandby, findWayToFollow } from "./become-standby.js";
import { describeFinding, describeGuard, describeRunning } from "./describe.js";
import { gatherStoppedNode, hearOthers, type Hearing, type StoppedNode } from "./gather.js";

const DEFAULT_WAIT_S = 5;
/** With this the command ends within a second after `--wait`. */
const FOLLOW_WITHIN_MS = 700;

export const nodeGuard = defineCommand({
  name: "node guard",
  summary: "say, before the server of this node is started, whether it may be a primary",
  options: {
    wait: "how long to wait for the other nodes, in seconds (default: 5)",
    strict: "do not let a primary start when nobody can say that it may",
    "as-standby": "make it a standby instead of refusing: it comes up read-only",
    "dry-run": "say what would be done",
    format: "emit output as text or json",
    dbname: "database of any node of the cluster, or its connection string",
    host: "host of that node",
    port: "port of that node",
    username: "user to connect to that node as",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "rejoinFailed"],
  examples: ["node guard", "node guard --as-standby --wait=10", "node guard -h node2,node3 --strict"],
  run: async (context, options): Promise<ExitCode> => {
    const node = await gatherStoppedNode(context);
    if (node.isRunning) return reportRunning(context);
    const waitMs = (options.wait === true ? DEFAULT_WAIT_S : (options.wait ?? DEFAULT_WAIT_S)) * 1000;
    const hearing = await hearOthers(context, node, waitMs);
    const decision = decideStart(hearing.verdict, hearing.facts, {
      asStandby: options["as-standby"],
      strict: options.strict,
      isElected: context.settings.failover === "automatic",
    });
    const parameters = decision === "start-as-standby" ? await findWay(context, node, hearing) : null;
    const exitCode = decision === "refuse" ? exitCodes.rejoinFailed : exitCodes.success;
    reportFinding(context, hearing, decision);
    if (decision === "start-as-standby") {
      const target = parameters === null ? "streaming from nobody" : "streaming from its successor";
      if (options["dry-run"]) context.reporter.info(`would make this node a standby, ${target}`);
      else {
        await becomeStandby(context, node, { hearing, parameters });
        context.reporter.notice(`made this node a standby, ${target}`);
      }
    }
    if (context.format === "json") {
      const upstream = decision === "start-as-standby" ? parameters !== null : null;
      context.reporter.data(renderJsonDocument(describeGuard(hearing, { decision, upstream, exitCode })));
    }
    return exitCode;
  },
});

/** No failure: a unit of another server of this host may ask as well. */
function reportRunning({ reporter, format }: CommandContext): ExitCode {
  reporter.info("the server of this node is running already", {
    hint: '"node guard" is for the moment before its start; it changes nothing now',
  });
  if (format === "json") reporter.data(renderJsonDocument(describeRunning(exitCodes.success)));
  return exitCodes.success;
}

async function findWay(
  context: CommandContext,
  node: StoppedNode,
  { verdict, records }: Hearing,
): Promise<RecoveryParameters | null> {
  if (verdict.kind !== "superseded") return null;
  const signal = AbortSignal.timeout(FOLLOW_WITHIN_MS);
  return findWayToFollow(context, node, { successor: verdict.successor, records, signal });
}

function reportFinding(context: CommandContext, hearing: Hearing, decision: StartDecision): void {
  const { reporter } = context;
  const { message, ...rest } = describeFinding(context, hearing);
  if (decision === "refuse") reporter.error(message, rest);
  else if (hearing.verdict.kind === "may-start") reporter.info(message, rest);
  else
    reporter.warning(
      decision === "start" ? `${message}; it starts as the primary all the same` : message,
      rest,
    );
}
