import type { NodeFacts, ServerFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, note, warning, type CheckResult, type Finding } from "./report.js";

/** Commands that throw WAL away and say that they have kept it. */
const DISCARDS = /^(?:(?:\/usr)?\/bin\/true|true|:|exit 0|cd \.)$/;

export function checkArchiving(node: NodeFacts, server: ServerFacts): CheckResult | null {
  if (node.record?.type === "witness") return null;
  const setting = (name: string): string => server.settings.get(name) ?? "";
  const mode = setting("archive_mode");
  const command = setting("archive_command");
  const library = setting("archive_library");
  const result = (findings: readonly Finding[], okDetail = ""): CheckResult => ({
    check: "archiving",
    findings,
    okDetail,
  });
  if (mode === "off") return result([note("archiving_off", "archive_mode is off")]);
  // A server without superuser rights hides the command.
  if (command === "" && library === "" && server.settings.has("archive_command")) {
    return result([
      failed(
        "archive_command_missing",
        `archive_mode is ${mode}, but archive_command is empty: WAL piles up`,
        at(
          node,
          "ALTER SYSTEM SET archive_command = '/bin/true' (or one that archives); then SELECT pg_reload_conf()",
        ),
      ),
    ]);
  }
  if (server.failingArchive !== null) {
    return result([
      warning(
        "archiving_fails",
        `archive_command fails for "${server.failingArchive}": WAL piles up`,
        at(node, `see the server log, and try as the server's user: ${command || library}`),
      ),
    ]);
  }
  if (DISCARDS.test(command.trim())) {
    return result([
      note("archive_discarded", `archive_command is '${command}': no WAL is kept for a restore`),
    ]);
  }
  return result([], `archive_mode is ${mode}`);
}
