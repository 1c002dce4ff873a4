import type { CheckFinding, CheckName } from "../../../decide/node-check-findings.js";
import { describeContradiction } from "../../../decide/node-checks-of-host.js";
import { renderPluginLine } from "../../../output/nagios.js";

/** Labels of the overview. */
const labels: Readonly<Partial<Record<CheckName, string>>> = {
  role: "Server role",
  "replication-lag": "Replication lag",
  "archive-ready": "WAL archiving",
  upstream: "Upstream connection",
  downstream: "Downstream servers",
  slots: "Replication slots",
  "missing-slots": "Missing physical replication slots",
  "data-directory-config": "Configured data directory",
};

const labelOf = ({ check }: CheckFinding): string => labels[check] ?? check;

export interface CheckedNode {
  readonly id: number;
  readonly name: string;
}

export const renderCheckText = ({ status, details }: CheckFinding): string => `${status} (${details})\n`;

export function renderOverviewText(node: CheckedNode, findings: readonly CheckFinding[]): string {
  const lines = findings.map((finding) => `\t${labelOf(finding)}: ${renderCheckText(finding)}`);
  return `Node "${node.name}":\n${lines.join("")}`;
}

/** The reference's own form: no line for the upstream, two lines without details, quotes within a text not doubled. */
export function renderOverviewCsv(node: CheckedNode, findings: readonly CheckFinding[]): string {
  const rows = findings
    .filter(({ check }) => check !== "upstream")
    .map((finding) => {
      const hasDetails = finding.check !== "replication-lag" && finding.check !== "archive-ready";
      return [labelOf(finding), finding.status, ...(hasDetails ? [finding.details] : [])];
    });
  const head = [
    ["Node name", node.name],
    ["Node ID", String(node.id)],
  ];
  return [...head, ...rows].map((row) => `${row.map((field) => `"${field}"`).join(",")}\n`).join("");
}

/** What `--optformat` shows; empty for the checks whose callers look at the exit code only. */
export function renderOptions(finding: CheckFinding): string {
  const { check, status } = finding;
  switch (check) {
    case "replication-lag": {
      const { seconds } = finding.measured;
      return `--status=${status} --lag=${seconds ?? 0}${renderThreshold(finding)}\n`;
    }
    case "archive-ready": {
      const { files } = finding.measured;
      // The blank at the end is the reference's.
      if (files === null) return `--status=${status} \n`;
      return `--status=${status} --files=${files}${renderThreshold(finding)}\n`;
    }
    case "data-directory-config":
      return `--configured-data-directory=${status}\n`;
    case "repmgrd":
    case "replication-config-owner":
    case "db-connection":
      return `--${check}=${status}\n`;
    default:
      return "";
  }
}

type Limited = Extract<CheckFinding, { readonly check: "replication-lag" | "archive-ready" }>;

function renderThreshold({ status, measured }: Limited): string {
  if (status === "CRITICAL") return ` --threshold=${measured.critical}`;
  return status === "WARNING" ? ` --threshold=${measured.warning}` : "";
}

export function renderOverviewOptions(node: CheckedNode, findings: readonly CheckFinding[]): string {
  return `${findings.map(renderOptions).join("")}Node "${node.name}":\n`;
}

/** One line for Nagios; null for a check that the reference does not offer in this form. */
export function renderCheckNagios(finding: CheckFinding): string | null {
  const line = describePlugin(finding);
  return line === null ? null : renderPluginLine({ ...line, status: finding.status });
}

interface PluginLine {
  readonly service: string;
  readonly text: string;
  readonly performance: string | null;
}

function describePlugin(finding: CheckFinding): PluginLine | null {
  const { check, status, details } = finding;
  const plain = (service: string): PluginLine => ({ service, text: details, performance: null });
  switch (check) {
    case "role":
      return plain("REPMGR_SERVER_ROLE");
    case "upstream":
      return plain("REPMGR_UPSTREAM_SERVER");
    case "repmgrd":
      return plain("REPMGRD");
    case "replication-lag": {
      const { seconds, warning, critical } = finding.measured;
      const performance = `lag=${seconds ?? 0};${warning};${critical}`;
      return { service: "REPMGR_REPLICATION_LAG", text: `${seconds ?? 0} seconds`, performance };
    }
    case "archive-ready": {
      const { files, warning, critical } = finding.measured;
      const service = "REPMGR_ARCHIVE_READY";
      if (files === null) return plain(service);
      const text = `${files} pending archive ready files`;
      return { service, text, performance: `files=${files};${warning};${critical}` };
    }
    case "downstream": {
      const { attached, missing } = finding.measured;
      const text =
        details.replace("; missing: ", " (missing: ") + (details.includes("; missing: ") ? ")" : "");
      const performance = `attached=${attached.length}, missing=${missing.length}`;
      return { service: "REPMGR_DOWNSTREAM_SERVERS", text, performance };
    }
    case "slots": {
      const { physical, inactive } = finding.measured;
      const performance = `slots=${physical};${inactive.length}`;
      return { service: "REPMGR_INACTIVE_SLOTS", text: details, performance };
    }
    case "missing-slots": {
      const { missing } = finding.measured;
      const names = missing.length === 0 ? "" : `;${missing.join(",")}`;
      const performance = `missing_slots=${missing.length}${names}`;
      return { service: "REPMGR_MISSING_SLOTS", text: details, performance };
    }
    case "data-directory-config": {
      const { configured, actual } = finding.measured;
      const performance = status === "CRITICAL" ? describeContradiction(actual) : null;
      return { service: "REPMGR_DATA_DIRECTORY", text: configured, performance };
    }
    case "replication-config-owner":
    case "db-connection":
      return null;
  }
}
