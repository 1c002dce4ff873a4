import type { ExitCode } from "../../../errors/exit-codes.js";
import { renderCsvRow } from "../../../output/csv.js";
import type { SyncHealth } from "../../../decide/sync-health.js";
import type { Palette } from "../../../output/palette.js";
import { renderTable } from "../../../output/table.js";
import { statusCell } from "../../cluster/show/render-text.js";
import { describeProblem as describeClusterProblem } from "../../cluster/show/render-json.js";
import { statusTone, upstreamTone } from "../../cluster/show/tone.js";
import type { NodeService, ServiceStatus } from "./gather.js";

export interface ServiceView {
  readonly isCompact: boolean;
  readonly isDetailed: boolean;
  readonly palette: Palette;
}

interface Column {
  readonly title: string;
  readonly compactTitle?: string;
  readonly isDetail?: true;
  readonly cell: (node: NodeService, view: ServiceView) => string;
}

const columns: readonly Column[] = [
  { title: "ID", cell: ({ health }) => String(health.record.nodeId) },
  { title: "Name", cell: ({ health }) => health.record.nodeName },
  { title: "Role", cell: ({ health }) => health.record.type },
  { title: "Status", cell: ({ health }) => statusCell(health) },
  {
    title: "Upstream",
    cell: ({ health: { upstream } }) =>
      upstream.marker === "" ? upstream.name : `${upstream.marker} ${upstream.name}`,
  },
  { title: "Location", isDetail: true, cell: ({ health }) => health.record.location },
  {
    title: "Priority",
    compactTitle: "Prio.",
    isDetail: true,
    cell: ({ health }) => String(health.record.priority),
  },
  { title: "repmgrd", cell: runningCell },
  { title: "PID", cell: ({ daemon }) => String(knownPid(daemon) ?? "n/a") },
  { title: "Paused?", cell: pausedCell },
  { title: "Upstream last seen", compactTitle: "Upstr. last", cell: lastSeenCell },
];

/** The table of `service status`, in the reference's layout. */
export function renderServiceTable({ nodes }: ServiceStatus, view: ServiceView): string {
  const shown = columns.filter(({ isDetail }) => view.isDetailed || isDetail !== true);
  return renderTable({
    titles: shown.map(({ title, compactTitle }) => (view.isCompact ? (compactTitle ?? title) : title)),
    rows: nodes.map((node) => shown.map(({ cell }) => cell(node, view))),
    isLastCellFollowedByBlank: true,
    paint: (text, { row, column }) => {
      const node = nodes[row];
      const title = shown[column]?.title;
      if (node === undefined || (title !== "Status" && title !== "Upstream")) return text;
      const tone = title === "Status" ? statusTone(node.health) : upstreamTone(node.health);
      return tone === null ? text : view.palette[tone](text);
    },
  });
}

/** One or more lines under the table: armed or not, and why. */
export function renderArmed({ armed: { isArmed, reasons, notes } }: ServiceStatus): string {
  const lines = [...reasons, ...notes].map((line) => `  - ${line}\n`);
  return `\nautomatic failover is ${isArmed ? "armed" : "not armed"}\n${lines.join("")}`;
}

/** Lines under those: what synchronous mode promises, and whether that is kept. Empty while it is off. */
export function renderSynchronous(
  { synchronous }: ServiceStatus,
  { palette }: Pick<ServiceView, "palette">,
): string {
  if (synchronous === null) return "";
  const { mode, isKept, quorum, standbys, reasons, notes, excluded } = synchronous;
  const names = standbys.map((name) => `"${name}"`).join(", ");
  const promise = quorum === 0 ? describeAlone(excluded) : `: each commit waits for ${quorum} of ${names}`;
  const head = isKept
    ? `synchronous mode is ${mode}${promise}`
    : palette.bad(`synchronous mode is ${mode}, but not in order`);
  const lines = [...reasons, ...notes].map((line) => `  - ${line}\n`);
  return `\n${head}\n${lines.join("")}`;
}

const describeAlone = (excluded: SyncHealth["excluded"]): string =>
  excluded === null ? "" : `: commits go on without "${excluded.nodeName}"`;

/** Whether an isolated primary stops itself; nothing where that is not configured. */
export function renderLease({ lease }: ServiceStatus): string {
  if (lease === null) return "";
  const reasons = lease.reasons.map((line) => `  - ${line}\n`).join("");
  return `primary_isolation_timeout is ${lease.isArmed ? "armed" : "NOT ARMED"}\n${reasons}`;
}

/** The ten columns of the reference, without a header. */
export function renderServiceCsv({ nodes }: ServiceStatus): string {
  return nodes
    .map(({ health: { record, answer }, daemon }) => {
      const isKnown = daemon !== null;
      const flag = (value: boolean): number => (value ? 1 : 0);
      return renderCsvRow([
        record.nodeId,
        record.nodeName,
        record.type,
        flag(answer.kind === "answered" || answer.kind === "failed"),
        isKnown ? flag(daemon.isRunning) : -1,
        knownPid(daemon) ?? -1,
        isKnown && knownPid(daemon) !== null ? flag(daemon.isPaused) : -1,
        record.priority,
        lastSeen({ health: { record }, daemon }) ?? -1,
        record.location,
      ]);
    })
    .join("");
}

/** The document of `service status --format=json`, described in docs/json.md. */
export function describeServiceStatus(status: ServiceStatus, exitCode: ExitCode): object {
  const { nodes, problems, armed, synchronous, lease } = status;
  return {
    command: "service status",
    nodes: nodes.map(({ health, daemon }) => ({
      id: health.record.nodeId,
      name: health.record.nodeName,
      role: health.record.type,
      status: health.status.code,
      upstream_id: health.record.upstreamNodeId,
      location: health.record.location,
      priority: health.record.priority,
      daemon: {
        running: daemon?.isRunning ?? null,
        pid: knownPid(daemon),
        paused: daemon?.isRunning === true ? daemon.isPaused : null,
        upstream_last_seen_seconds: lastSeen({ health, daemon }),
      },
    })),
    failover: { armed: armed.isArmed, reasons: armed.reasons, notes: armed.notes },
    synchronous: describeSynchronous(synchronous),
    isolation: lease === null ? null : { armed: lease.isArmed, reasons: lease.reasons },
    problems: problems.map(describeClusterProblem),
    exit_code: exitCode,
  };
}

function describeSynchronous(synchronous: ServiceStatus["synchronous"]): object {
  if (synchronous === null) return { mode: "off" };
  const { mode, isKept, quorum, standbys, names, reasons, notes, excluded } = synchronous;
  return {
    mode,
    kept: isKept,
    quorum,
    standbys,
    standby_names: names,
    excluded:
      excluded === null
        ? null
        : { id: excluded.nodeId, name: excluded.nodeName, since: excluded.since, epoch: excluded.epoch },
    reasons,
    notes,
  };
}

const knownPid = (daemon: NodeService["daemon"]): number | null => daemon?.pid ?? null;

function runningCell({ daemon }: NodeService): string {
  if (daemon === null) return "n/a";
  return daemon.isRunning ? "running" : "not running";
}

function pausedCell({ daemon }: NodeService): string {
  if (daemon === null || knownPid(daemon) === null) return "n/a";
  return daemon.isPaused ? "yes" : "no";
}

/** A primary has no upstream to see. */
function lastSeen({
  health: { record },
  daemon,
}: {
  readonly health: Pick<NodeService["health"], "record">;
  readonly daemon: NodeService["daemon"];
}): number | null {
  return record.type === "primary" || knownPid(daemon) === null ? null : (daemon?.upstreamSeenS ?? null);
}

function lastSeenCell(node: NodeService, { isCompact }: ServiceView): string {
  const seconds = lastSeen(node);
  return seconds === null ? "n/a" : `${seconds} ${isCompact ? "sec(s)" : "second(s)"} ago`;
}
