import { judgeSchema, judgeServerVersion } from "../schema.js";
import { findPrimaryNode } from "./check-identity.js";
import type { DoctorFacts, NodeFacts, ServerFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, note, warning, type CheckResult, type Finding } from "./report.js";

const majorOf = ({ version }: ServerFacts): number => Math.floor(version / 10_000);

const describeVersion = (server: ServerFacts): string => `${majorOf(server)}.${server.version % 10_000}`;

export function checkVersion(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): CheckResult {
  const findings: Finding[] = [];
  const tooOld = judgeServerVersion(server.version);
  if (tooOld !== null)
    findings.push(failed("version_too_old", tooOld.message, at(node, tooOld.hint ?? "upgrade the server")));
  const primary = findPrimaryNode(facts);
  const other = primary?.server ?? null;
  if (node.record?.type !== "witness" && primary !== null && other !== null && other !== server) {
    if (majorOf(other) !== majorOf(server)) {
      findings.push(
        failed(
          "version_differs",
          `PostgreSQL ${describeVersion(server)}, the primary has ${describeVersion(other)}`,
          at(
            node,
            `install PostgreSQL ${majorOf(other)} and clone again, or upgrade all nodes with pg_upgrade`,
          ),
        ),
      );
    } else if (other.version !== server.version) {
      const detail = `PostgreSQL ${describeVersion(server)}, the primary has ${describeVersion(other)}`;
      findings.push(note("minor_version_differs", detail));
    }
  }
  return { check: "version", findings, okDetail: `PostgreSQL ${describeVersion(server)}` };
}

/** The metadata, where it is written: a standby has what its primary has. */
export function checkSchema(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): CheckResult | null {
  if (server.inRecovery) return null;
  const verb = node.record?.type === "witness" ? "witness" : "primary";
  const register = (force: string): string => at(node, `${facts.programName} ${verb} register${force}`);
  const verdict = judgeSchema(server.schema, facts.schemaVersion);
  const result = (findings: readonly Finding[], okDetail = ""): CheckResult => ({
    check: "schema",
    findings,
    okDetail,
  });
  switch (verdict.kind) {
    case "use":
      return result(
        [],
        verdict.owner === "us"
          ? `version ${server.schema.ourVersion ?? 0}`
          : `of extension repmgr ${server.schema.extensionVersion ?? ""}`,
      );
    case "create":
      return result([warning("schema_missing", 'there is no schema "repmgr"', register(""))]);
    case "upgrade":
      return result([
        warning(
          "schema_old",
          `version ${verdict.fromVersion} of ${facts.schemaVersion}`,
          register(" --force"),
        ),
      ]);
    case "refuse": {
      const { message, detail, hint } = verdict.problem;
      return result([failed("schema_unusable", `${message}: ${detail ?? ""}`, at(node, hint ?? ""))]);
    }
  }
}

/** Beyond this, times of different nodes cannot be compared: lag, events, logs. */
const CLOCK_LIMIT_MS = 1000;

export function checkClock(node: NodeFacts, server: ServerFacts): CheckResult {
  const { clockOffsetMs, roundTripMs } = server;
  const uncertaintyMs = roundTripMs / 2;
  const direction = clockOffsetMs < 0 ? "behind" : "ahead of";
  const shown = `${Math.abs(clockOffsetMs / 1000).toFixed(3)} s ${direction} this host (± ${(uncertaintyMs / 1000).toFixed(3)} s)`;
  const isOff = Math.abs(clockOffsetMs) - uncertaintyMs > CLOCK_LIMIT_MS;
  const hint = at(
    node,
    "sudo chronyc makestep, or sudo timedatectl set-ntp true (and the same on this host)",
  );
  return {
    check: "clock",
    findings: isOff ? [failed("clock_differs", shown, hint)] : [],
    okDetail: shown,
  };
}

export function checkSynchronousCommit(server: ServerFacts, facts: DoctorFacts): CheckResult | null {
  if (server.synchronousCommitOverrides.length === 0) return null;
  const isSynchronous =
    (server.settings.get("synchronous_standby_names") ?? "") !== "" ||
    (facts.settings?.sync_mode ?? "off") !== "off";
  return {
    check: "synchronous_commit",
    findings: server.synchronousCommitOverrides.map((override) =>
      isSynchronous
        ? warning(
            "synchronous_commit_override",
            `${override}: its transactions may be lost in a failover`,
            "take it back: ALTER ROLE … RESET synchronous_commit, ALTER DATABASE … RESET synchronous_commit",
          )
        : note("synchronous_commit_override", override),
    ),
    okDetail: "",
  };
}
