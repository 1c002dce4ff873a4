import { isProblem, type DoctorRow } from "../../decide/doctor/report.js";
import type { ExitCode } from "../../errors/exit-codes.js";
import { renderJsonDocument } from "../../output/json.js";

/** The document of `doctor --format=json`, described in docs/json.md. */
export function renderDoctorJson(rows: readonly DoctorRow[], exitCode: ExitCode): string {
  return renderJsonDocument({
    command: "doctor",
    checks: rows.map((row) => ({
      node_id: row.nodeId === 0 ? null : row.nodeId,
      node_name: row.nodeId === 0 ? null : row.nodeName,
      check: row.check.replaceAll(" ", "_"),
      status: row.status,
      code: row.code,
      message: row.detail,
      hint: row.hint,
    })),
    problems: rows.filter(isProblem).map((row) => ({
      severity: row.status === "failed" ? "error" : "warning",
      code: row.code,
      node_id: row.nodeId === 0 ? null : row.nodeId,
      message: row.detail,
      detail: null,
      hint: row.hint,
    })),
    exit_code: exitCode,
  });
}
