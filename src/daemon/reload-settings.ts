import { describeConfigurationProblem } from "../config/configuration-problem.js";
import { judgeReload, type ReloadDecision } from "../config/reload.js";
import type { Settings } from "../config/settings-table.js";
import { UserError } from "../errors/user-error.js";
import { ConninfoError, parseConninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import { ConnectionError } from "../postgres/connection-error.js";
import { judgeSyncMode } from "./check-sync-mode.js";
import type { DaemonContext } from "./daemon-context.js";

const KEPT = "the settings in force stay as they are";

/**
 * Reads repmgr.conf again, as SIGHUP asks: all of it is taken or nothing. The log file is opened again in both cases,
 * for logrotate. True when a setting changed.
 */
export async function reloadSettings(
  context: DaemonContext,
  { isWitness, records }: { readonly isWitness: boolean; readonly records: readonly NodeRecord[] },
): Promise<boolean> {
  const { reporter } = context;
  const current = context.settings();
  const decision = await readAndJudge(context, current, { isWitness, records });
  if (decision.kind === "refused") {
    const [first = "", ...others] = decision.reasons;
    await context.useSettings(current);
    reporter.error(`configuration was not reloaded: ${first}`, {
      ...(others.length === 0 ? {} : { detail: others.join("\n") }),
      hint: `${KEPT}; mend the file, then send SIGHUP again`,
    });
    return false;
  }
  try {
    await context.useSettings(decision.settings);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    reporter.error(`configuration was not reloaded: ${error.message}`, {
      ...(error.detail === undefined ? {} : { detail: error.detail }),
      hint: KEPT,
    });
    return false;
  }
  reportChanges(context, decision);
  return decision.changes.length > 0;
}

async function readAndJudge(
  context: DaemonContext,
  current: Settings,
  { isWitness, records }: { readonly isWitness: boolean; readonly records: readonly NodeRecord[] },
): Promise<ReloadDecision> {
  let fresh: Settings;
  try {
    const loaded = context.loadConfiguration();
    if (loaded.errors.length > 0)
      return { kind: "refused", reasons: loaded.errors.map(describeConfigurationProblem) };
    fresh = loaded.settings;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const detail = error.detail === undefined ? "" : `: ${error.detail}`;
    return { kind: "refused", reasons: [`${error.message}${detail}`] };
  }
  const problem = judgeSyncMode(fresh, records);
  if (problem !== null) return { kind: "refused", reasons: [problem.message] };
  const decision = judgeReload(current, fresh, { isWitness });
  if (decision.kind === "refused") {
    const file = context.configFile ?? "repmgr.conf";
    return { kind: "refused", reasons: decision.reasons.map((reason) => `${file}: ${reason}`) };
  }
  if (decision.settings.conninfo === current.conninfo) return decision;
  const refusal = await tryConninfo(context, decision.settings.conninfo);
  return refusal === null ? decision : { kind: "refused", reasons: [refusal] };
}

async function tryConninfo(
  { databases, configFile }: DaemonContext,
  conninfo: string,
): Promise<string | null> {
  try {
    const database = await databases.connect(parseConninfo(conninfo));
    await database.close();
    return null;
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof ConninfoError)) throw error;
    return `${configFile ?? "repmgr.conf"}: the new "conninfo" does not lead to a server: ${error.message}`;
  }
}

function reportChanges(
  { reporter }: DaemonContext,
  { changes }: Extract<ReloadDecision, { readonly kind: "accepted" }>,
): void {
  if (changes.length === 0) {
    reporter.info("configuration has not changed");
    return;
  }
  const when = { yes: "", "re-register": " (when the node is registered again)", no: " (after a restart)" };
  reporter.notice("configuration was reloaded", {
    detail: [
      "the following settings were changed:",
      ...changes.map(
        ({ name, from, to, takesEffect }) => `  "${name}": "${from}" -> "${to}"${when[takesEffect]}`,
      ),
    ].join("\n"),
  });
}
