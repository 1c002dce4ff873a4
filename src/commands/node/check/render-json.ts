import type { CheckFinding } from "../../../decide/node-check-findings.js";
import type { ExitCode } from "../../../errors/exit-codes.js";
import { renderJsonDocument } from "../../../output/json.js";
import type { CheckedNode } from "./render.js";

/** The document of `node check --format=json`, for one check and for all, described in docs/json.md. */
export function renderNodeCheckJson(
  node: CheckedNode,
  findings: readonly CheckFinding[],
  exitCode: ExitCode,
): string {
  return renderJsonDocument({
    command: "node check",
    node: { id: node.id, name: node.name },
    checks: findings.map(({ check, status, details, measured }) => ({
      check: check.replaceAll("-", "_"),
      status: status.toLowerCase(),
      message: details,
      measured,
    })),
    exit_code: exitCode,
  });
}
