import type { ConnectivityMatrix } from "../../../decide/connectivity.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { nodeId, type NodeId } from "../../../model/node-record.js";
import type { CommandContext } from "../../define-command.js";
import { renderMatrixCsv, renderMatrixJson, renderMatrixProblems, renderMatrixTable } from "./render.js";

/** What `cluster matrix` and `cluster crosscheck` take. */
export const connectivityOptions = {
  csv: "emit output as CSV",
  format: "emit output as text, csv or json",
  "remote-user": "SSH user on the other nodes",
  "node-id": "ID of this node, when no configuration file is used",
  dbname: "database of any node, or its connection string",
  host: "host of any node",
  port: "port of any node",
  username: "user to connect as",
};

/** The node that we run on, as the configuration or `--node-id` says. */
export function localNodeId(
  { configFile, settings }: CommandContext,
  given: number | undefined,
): NodeId | null {
  if (configFile !== null) return nodeId(settings.node_id);
  return given === undefined ? null : nodeId(given);
}

/** Prints the matrix in the format that was asked for, and what is wrong beside it. Returns the exit code. */
export function showMatrix(
  context: CommandContext,
  command: string,
  shown: { readonly matrix: ConnectivityMatrix; readonly hasFailure: boolean },
): ExitCode {
  const { reporter, format, display } = context;
  const { matrix } = shown;
  const exitCode = chooseExitCode(shown);
  if (format === "json") reporter.data(renderMatrixJson(command, matrix, exitCode));
  else if (format === "csv") reporter.data(renderMatrixCsv(matrix));
  else {
    reportProblems(context, matrix);
    reporter.data(renderMatrixTable(matrix, display.palette));
  }
  return exitCode;
}

/** The reference's precedence: a failed connection hides that not every node could be asked. */
function chooseExitCode({
  matrix: { problems },
  hasFailure,
}: {
  readonly matrix: ConnectivityMatrix;
  readonly hasFailure: boolean;
}): ExitCode {
  if (hasFailure) return exitCodes.nodeStatus;
  if (problems.some(({ kind }) => kind === "output")) return exitCodes.internal;
  return problems.length === 0 ? exitCodes.success : exitCodes.badSsh;
}

function reportProblems({ reporter }: CommandContext, { problems }: ConnectivityMatrix): void {
  if (problems.length === 0 || reporter.isTerse) return;
  const [hint] = problems.flatMap((problem) => (problem.hint === undefined ? [] : [problem.hint]));
  reporter.warning(
    renderMatrixProblems(problems, reporter.isVerbose),
    reporter.isVerbose
      ? hint === undefined
        ? {}
        : { hint }
      : { hint: "execute with --verbose option to see the reasons" },
  );
}
