import { BLOCKED_NAMES } from "../../model/sync-state.js";
import type { DoctorFacts, NodeFacts, ServerFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, warning, type CheckResult, type Finding } from "./report.js";

/** What the daemons do about `synchronous_standby_names`, and what they left. */
export function checkSyncMode(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): CheckResult | null {
  const names = server.settings.get("synchronous_standby_names") ?? "";
  const mode = facts.settings?.sync_mode ?? "off";
  const isBlocked = names === BLOCKED_NAMES;
  const isWitness = node.record?.type === "witness";
  if (isWitness || (mode === "off" && !isBlocked)) return null;
  const finding = mode === "off" ? leftBehind(node) : judgeNames(node, server, { facts, names });
  return {
    check: "synchronous mode",
    findings: finding === null ? [] : [finding],
    okDetail: `${mode}: ${server.inRecovery ? "a standby, blocked until its promotion" : names}`,
  };
}

const leftBehind = (node: NodeFacts): Finding =>
  failed(
    "sync_left_behind",
    `synchronous_standby_names is still '${BLOCKED_NAMES}', though "sync_mode" is "off": as a primary it would acknowledge nothing`,
    at(
      node,
      "start the daemon, or ALTER SYSTEM RESET synchronous_standby_names; then SELECT pg_reload_conf()",
    ),
  );

function judgeNames(
  node: NodeFacts,
  { inRecovery }: ServerFacts,
  { facts, names }: { readonly facts: DoctorFacts; readonly names: string },
): Finding | null {
  const isBlocked = names === BLOCKED_NAMES;
  if (inRecovery && !isBlocked) {
    const detail = "this standby is not blocked: promoted without its daemon, it could acknowledge too early";
    return warning("sync_not_blocked", detail, at(node, "start the daemon"));
  }
  if (!inRecovery && isBlocked) {
    const detail = "all commits wait: the standbys do not have the first rows of this primary yet";
    return warning("sync_waiting", detail, 'see "service status"');
  }
  const hasStandby = facts.nodes.some(({ record }) => record?.type === "standby");
  if (inRecovery || names !== "" || !hasStandby) return null;
  if (facts.settings?.sync_mode === "preferred") {
    const detail =
      "synchronous_standby_names is empty: commits go on without a standby, which is not promoted";
    return warning("sync_without_standby", detail, 'see "service status" for which, and since when');
  }
  const detail = "synchronous_standby_names is empty: acknowledged rows may be lost in a failover";
  return failed("sync_not_managed", detail, at(node, "start the daemon"));
}
