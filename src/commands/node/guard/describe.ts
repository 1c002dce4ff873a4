import type { StartDecision, StartVerdict, Successor } from "../../../decide/guard.js";
import type { ExitCode } from "../../../errors/exit-codes.js";
import { maskConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import { quoteForShell } from "../../../postgres/service-control.js";
import type { CommandContext } from "../../define-command.js";
import type { Hearing } from "./gather.js";

const startsBecause: Readonly<Record<Extract<StartVerdict, { kind: "may-start" }>["because"], string>> = {
  standby: "it starts as a standby",
  witness: "it is a witness",
  alone: "no other node is registered",
  majority: "none of the nodes that answered has another primary, and they are a majority",
};

const unclearBecause: Readonly<Record<Extract<StartVerdict, { kind: "unclear" }>["because"], string>> = {
  "no-members": "no other node is known to this one",
  "nobody-answered": "no other node answered",
  "too-few-answers": "the nodes that answered are no majority",
  "later-term": "a vote for a later primary was given, and nobody knows of one",
  rival: "another node is read-write, without a promotion that this cluster knows of",
};

/** What was found, as it is said to a person. */
export function describeFinding(
  context: Pick<CommandContext, "environment" | "configFile">,
  { verdict, records }: Hearing,
): Problem {
  switch (verdict.kind) {
    case "may-start":
      return { message: "this node may start", detail: startsBecause[verdict.because] };
    case "superseded":
      return {
        message: `this node was superseded: ${describeSuccessor(verdict.successor, records)}`,
        ...(verdict.successor.isTwin
          ? { detail: "both were promoted apart from each other: what this one holds has to be given up" }
          : {}),
        hint: `to make it a standby: ${describeRepair(context, verdict.successor, records)}`,
      };
    case "unclear": {
      const rival = records.find(({ nodeId }) => nodeId === verdict.rival);
      const name = rival === undefined ? "" : ` (node ${describeNode(rival)})`;
      return {
        message: "nobody can say whether this node was superseded",
        detail: `${unclearBecause[verdict.because]}${name}`,
      };
    }
  }
}

function describeSuccessor({ nodeId, term, timeline }: Successor, records: readonly NodeRecord[]): string {
  const record = records.find((one) => one.nodeId === nodeId);
  const name = record === undefined ? "another node" : `node ${describeNode(record)}`;
  return `${name} is the primary of term ${term}${timeline === null ? "" : `, on timeline ${timeline}`}`;
}

function describeRepair(
  { environment, configFile }: Pick<CommandContext, "environment" | "configFile">,
  { nodeId, isTwin }: Successor,
  records: readonly NodeRecord[],
): string {
  const target = records.find((one) => one.nodeId === nodeId);
  const conf = configFile === null ? "" : ` -f ${quoteForShell(configFile)}`;
  const verb = isTwin ? "standby clone --force" : "node rejoin --force-rewind";
  const where = target === undefined ? "NODE" : quoteForShell(maskConninfo(target.conninfo));
  return `${environment.programName}${conf} ${verb} -d ${where}`;
}

const decisions = {
  start: "start",
  "start-as-standby": "start_as_standby",
  refuse: "refuse",
} as const satisfies Readonly<Record<StartDecision, string>>;

/** The document of `node guard --format=json`, described in docs/json.md. */
export function describeGuard(
  { verdict, records, facts }: Hearing,
  {
    decision,
    upstream,
    exitCode,
  }: { readonly decision: StartDecision; readonly upstream: boolean | null; readonly exitCode: ExitCode },
): object {
  const successor = verdict.kind === "superseded" ? verdict.successor : null;
  const nameOf = (id: number | null): string | null =>
    records.find(({ nodeId }) => nodeId === id)?.nodeName ?? null;
  const others = records.filter(({ nodeId }) => nodeId !== facts.self);
  return {
    command: "node guard",
    decision: decisions[decision],
    reason: verdict.kind === "superseded" ? "superseded" : verdict.because.replaceAll("-", "_"),
    successor:
      successor === null
        ? null
        : {
            id: successor.nodeId,
            name: nameOf(successor.nodeId),
            term: successor.term,
            timeline: successor.timeline,
            promoted_apart: successor.isTwin,
          },
    follows_successor: upstream,
    nodes: others.map(({ nodeId, nodeName }) => {
      const answer = facts.answers.find((one) => one.nodeId === nodeId);
      const server = answer?.kind === "answered" ? answer.server : null;
      return {
        id: nodeId,
        name: nodeName,
        answered: server !== null,
        in_recovery: server?.inRecovery ?? null,
        term: server?.termRow ?? null,
        timeline: server?.timeline ?? null,
      };
    }),
    exit_code: exitCode,
  };
}

export function describeRunning(exitCode: ExitCode): object {
  return {
    command: "node guard",
    decision: decisions.start,
    reason: "running",
    successor: null,
    follows_successor: null,
    nodes: [],
    exit_code: exitCode,
  };
}
