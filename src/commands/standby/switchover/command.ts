import type { SwitchoverProblem, SwitchoverRules } from "../../../decide/switchover-facts.js";
import { planSwitchover } from "../../../decide/switchover.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { removeSwitchoverTrace } from "../../../metadata/switchover-trace.js";
import { describeNode } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import { quoteForShell } from "../../../postgres/service-control.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import type { OptionValues } from "../../option-table.js";
import { rehearsePoolers } from "../../poolers.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { describeChecks, describeSwitchoverStep } from "./describe-step.js";
import { carryOutSwitchover } from "./execute.js";
import { gatherSwitchoverFacts, listConfigFiles } from "./gather.js";
import { findStart, type Start } from "./find-start.js";
import { resumeSwitchover } from "./resume.js";
import { stepOf, type Switchover } from "./switchover.js";
import { unpauseDaemons } from "./undo.js";

type Options = OptionValues<
  | "dry-run"
  | "force"
  | "always-promote"
  | "force-rewind"
  | "siblings-follow"
  | "repmgrd-no-pause"
  | "repmgrd-force-unpause"
  | "superuser"
>;

export const standbySwitchover = defineCommand({
  name: "standby switchover",
  summary: "promote this standby and make the current primary its standby",
  options: {
    "dry-run": "check all prerequisites and show what would be done",
    force: "turn the checks of lag, archiving, free slots and walsenders, siblings and daemons into warnings",
    "always-promote": "promote this standby even if it did not receive all WAL of the old primary",
    "force-rewind": "allow pg_rewind (of PATH) on the old primary; it runs only if that diverged",
    "siblings-follow": "let the other standbys and the witness of the old primary follow this one",
    "repmgrd-no-pause": "do not pause the daemons",
    "repmgrd-force-unpause": "unpause all daemons at the end, also those that were paused before",
    superuser: "user for the CHECKPOINT and the promotion, where that of conninfo is no superuser",
    "remote-user": "user to log in with on the other hosts",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: [
    "success",
    "badConfiguration",
    "databaseConnection",
    "databaseQuery",
    "switchoverFailed",
    "switchoverIncomplete",
  ],
  examples: ["standby switchover --dry-run", "standby switchover --siblings-follow"],
  run: async (context, options): Promise<ExitCode> => {
    const rules = readRules(context, options);
    const command = spellCommand(context, options);
    // A shutdown that an earlier run asked for may come in between: then the look at the cluster is taken again.
    for (let look = 1; ; look += 1) {
      const start = await findStart(context, rules);
      if (start.progress !== "not-begun")
        return resumeSwitchover(context, start, { rules, command, isDryRun: options["dry-run"] });
      const outcome = await switchOver(context, start, { rules, command, isDryRun: options["dry-run"] });
      if (outcome.kind === "ended") return outcome.exitCode;
      const isUnfinished = start.trace?.candidate === start.own.nodeId;
      if (!isUnfinished) return reportRefusal(context, outcome.problems);
      if (look < LOOKS) continue;
      const exitCode = reportRefusal(context, outcome.problems);
      return options["dry-run"] ? exitCode : giveUp(context, start);
    }
  },
});

const LOOKS = 3;

/** What an earlier run has done before the primary was stopped is taken back: nobody may find it unfinished for ever. */
async function giveUp(
  context: CommandContext,
  { trace, records, primaryDatabase }: Extract<Start, { readonly progress: "not-begun" }>,
): Promise<ExitCode> {
  await unpauseDaemons(context, records, trace?.paused ?? []);
  await removeSwitchoverTrace(primaryDatabase);
  context.reporter.notice("the switchover that was cut off has been taken back");
  return exitCodes.switchoverFailed;
}

export interface Order {
  readonly rules: SwitchoverRules;
  /** The command line as it is to be repeated. */
  readonly command: string;
  readonly isDryRun: boolean;
}

type Outcome =
  | { readonly kind: "ended"; readonly exitCode: ExitCode }
  | { readonly kind: "refused"; readonly problems: readonly SwitchoverProblem[] };

async function switchOver(
  context: CommandContext,
  start: Extract<Start, { readonly progress: "not-begun" }>,
  { rules, command, isDryRun }: Order,
): Promise<Outcome> {
  const { reporter } = context;
  const { own, primary, records } = start;
  if (isDryRun) reporter.notice("checking switchover on node " + `${describeNode(own)} in --dry-run mode`);
  else reporter.notice(`executing switchover on node ${describeNode(own)}`);
  const facts = await gatherSwitchoverFacts(context, start, rules);
  const configFiles = rules.forceRewind ? await listConfigFiles(start.primaryDatabase) : [];
  const plan = planSwitchover(facts, rules);
  if (plan.kind === "refused") return plan;
  reportWarnings(reporter, plan.warnings);
  const paused = stepOf(plan, "unpause-daemons")?.nodes ?? [];
  const trace = { candidate: own.nodeId, formerPrimary: primary.nodeId, paused, configFiles, command };
  const switchover: Omit<Switchover, "unpause"> = { ...start, trace, rules, steps: plan.steps };
  if (!isDryRun) return { kind: "ended", exitCode: await carryOutSwitchover(context, switchover) };
  for (const line of describeChecks(facts, rules)) reporter.info(line);
  reporter.notice(
    `local node ${describeNode(own)} would be promoted to primary; current primary ${describeNode(primary)} would be demoted to standby`,
  );
  await rehearsePoolers(context, own.conninfo);
  for (const step of plan.steps) reporter.info(describeSwitchoverStep(step, { own, primary, records }));
  reporter.info(
    'parameter "shutdown_check_timeout" is set to ' + `${rules.shutdownTimeoutMs / 1000} seconds`,
  );
  reporter.info("prerequisites for executing STANDBY SWITCHOVER are met");
  return { kind: "ended", exitCode: exitCodes.success };
}

const refusalCodes = {
  connection: exitCodes.databaseConnection,
  query: exitCodes.databaseQuery,
  prerequisite: exitCodes.badConfiguration,
  switchover: exitCodes.switchoverFailed,
} as const satisfies Readonly<Record<SwitchoverProblem["refusal"], ExitCode>>;

/** All problems, with the exit code of the one that the reference would have met first. */
function reportRefusal({ reporter }: CommandContext, problems: readonly SwitchoverProblem[]): ExitCode {
  const [first] = problems;
  const shown = problems.map(({ message, detail, hint }): Problem => ({
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
  }));
  return reportProblems(reporter, shown, refusalCodes[first?.refusal ?? "prerequisite"]);
}

function readRules({ settings }: CommandContext, options: Options): SwitchoverRules {
  const rewind = options["force-rewind"];
  return {
    force: options.force,
    forceRewind: rewind !== undefined,
    rewindProgram: typeof rewind === "string" ? rewind : null,
    alwaysPromote: options["always-promote"],
    siblingsFollow: options["siblings-follow"],
    pauses: !options["repmgrd-no-pause"],
    forceUnpause: options["repmgrd-force-unpause"],
    superuser: options.superuser ?? null,
    lagWarningSeconds: settings.replication_lag_warning / 1000,
    lagCriticalSeconds: settings.replication_lag_critical / 1000,
    shutdownTimeoutMs: settings.shutdown_check_timeout,
  };
}

/** What whoever finds this switchover unfinished has to type. */
function spellCommand(
  { environment, configFile }: CommandContext,
  options: Options & { readonly "remote-user": string | undefined },
): string {
  const flags = [
    "force",
    "always-promote",
    "siblings-follow",
    "repmgrd-no-pause",
    "repmgrd-force-unpause",
  ] as const;
  const rewind = options["force-rewind"];
  const words = [
    environment.programName,
    ...(configFile === null ? [] : ["-f", configFile]),
    ...["standby", "switchover"],
    ...flags.filter((flag) => options[flag]).map((flag) => `--${flag}`),
    ...(rewind === undefined ? [] : [rewind === true ? "--force-rewind" : `--force-rewind=${rewind}`]),
    ...(options.superuser === undefined ? [] : [`--superuser=${options.superuser}`]),
    ...(options["remote-user"] === undefined ? [] : [`--remote-user=${options["remote-user"]}`]),
  ];
  return words.map((word) => (/^[\w=./,-]+$/.test(word) ? word : quoteForShell(word))).join(" ");
}
