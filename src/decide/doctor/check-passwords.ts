import { ConninfoError, parseConninfo } from "../../model/conninfo.js";
import type { HostSubject } from "./check-host.js";
import { failed, warning, type CheckResult, type Finding } from "./report.js";

/** Where this node takes its passwords from. */
export function checkPasswords({ host, settings, server }: HostSubject): CheckResult {
  const findings: Finding[] = [];
  if (holdsPassword(settings.conninfo)) {
    findings.push(
      warning(
        "password_in_conninfo",
        "conninfo in repmgr.conf holds a password, which everybody who reads repmgr.nodes sees",
        `move it to "${host.passfile}" (mode 0600) on every node, then register again with --force`,
      ),
    );
  }
  const primaryConninfo = server?.settings.get("primary_conninfo") ?? "";
  if (holdsPassword(primaryConninfo) && !settings.use_primary_conninfo_password) {
    findings.push(
      warning(
        "password_in_primary_conninfo",
        "primary_conninfo holds a password",
        `move it to "${host.passfile}" (mode 0600) with a line for database "replication", then execute standby follow`,
      ),
    );
  }
  if (host.passfileWarning !== null)
    findings.push(failed("passfile_mode", host.passfileWarning, `chmod 600 ${host.passfile}`));
  if (host.environmentOnly.length > 0) {
    findings.push(
      warning(
        "password_in_environment",
        `only PGPASSWORD has the password for replication from ${host.environmentOnly.join(", ")}: no server sees it`,
        `add a line for each of them to "${host.passfile}" (mode 0600): HOST:PORT:replication:USER:PASSWORD`,
      ),
    );
  }
  return { check: "passwords", findings, okDetail: "none in connection strings" };
}

function holdsPassword(conninfo: string): boolean {
  try {
    return (parseConninfo(conninfo).get("password") ?? "") !== "";
  } catch (error) {
    if (error instanceof ConninfoError) return false;
    throw error;
  }
}
