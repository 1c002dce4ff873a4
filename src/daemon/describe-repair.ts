import { quoteForShell } from "../postgres/service-control.js";
import { maskConninfo } from "../model/conninfo.js";
import type { NodeId } from "../model/node-record.js";
import type { StopReason } from "../model/vote.js";
import type { Runtime } from "./runtime.js";

/**
 * The command that makes a stopped primary a standby of its successor; null when the daemon does it by itself. `by` is
 * null when the successor is not known: any other node leads to it. What a primary of the same term holds is thrown
 * away by a new copy only, which nobody but a person orders.
 */
export function describeRepair(
  { context, records, ownId }: Runtime,
  { reason, by }: { readonly reason: StopReason; readonly by: NodeId | null },
): string | null {
  if (reason === "isolated" || (reason === "superseded" && context.settings().auto_rejoin)) return null;
  const others = records.filter(({ nodeId, type }) => nodeId !== ownId && type !== "witness");
  const target = others.find(({ nodeId }) => nodeId === by) ?? others[0];
  if (target === undefined) return null;
  const program = context.environment.programName.replace(/d$/, "");
  const conf = context.configFile === null ? "" : ` -f ${quoteForShell(context.configFile)}`;
  const command = reason === "equal-term" ? "standby clone --force" : "node rejoin --force-rewind";
  return `${program}${conf} ${command} -d ${quoteForShell(maskConninfo(target.conninfo))}`;
}

/** The line that makes a standby again of a server which somebody promoted beside this primary. */
export function describeReturnOfStray(
  { context, records, ownId }: Runtime,
  stray: NodeId | null,
): string | null {
  const own = records.find(({ nodeId }) => nodeId === ownId);
  const other = records.find(({ nodeId }) => nodeId === stray);
  if (own === undefined || other === undefined) return null;
  const program = `${context.environment.programName.replace(/d$/, "")} -f ${quoteForShell(other.configFile)}`;
  const rejoin = `node rejoin --force-rewind -d ${quoteForShell(maskConninfo(own.conninfo))}`;
  return `${program} node service --action=stop && ${program} ${rejoin}`;
}
