import { formatConninfo, parseConninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import { childEnvironment } from "../postgres/child-environment.js";
import { quoteForShell } from "../postgres/service-control.js";
import type { CommandContext } from "./define-command.js";

/** Copies the target over this node; for the case that nothing else helps. */
export function buildRecloneCommand({ environment, configFile }: CommandContext, target: NodeRecord): string {
  const { conninfo } = childEnvironment(parseConninfo(target.conninfo));
  const conf = configFile === null ? "" : ` -f ${quoteForShell(configFile)}`;
  return `${environment.programName}${conf} standby clone --force -d ${quoteForShell(formatConninfo(conninfo))}`;
}
