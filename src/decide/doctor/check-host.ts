import { formatMebibytes } from "./format.js";
import type { CommandFacts, DiskFacts, DoctorSettings, HostFacts, ServerFacts } from "./facts.js";
import { failed, warning, type CheckResult, type Finding } from "./report.js";

/** What the checks of this host are given: its facts and, when it answers, its server. */
export interface HostSubject {
  readonly host: HostFacts;
  readonly settings: DoctorSettings;
  readonly server: ServerFacts | null;
  readonly programName: string;
}

export function checkDataDirectory(subject: HostSubject): CheckResult {
  const { settings, host } = subject;
  const path = settings.data_directory;
  const findings = [judgePlace(subject), judgeMode(subject), judgeServerDirectory(subject)];
  if (host.configurationTest !== null) {
    findings.push(
      failed(
        "server_configuration",
        `the server cannot start with its configuration: ${host.configurationTest}`,
        "correct that parameter in postgresql.conf or the file named there, then start the server",
      ),
    );
  }
  return {
    check: "data directory",
    findings: findings.filter((finding) => finding !== null),
    okDetail: `"${path}"`,
  };
}

function judgePlace({ host, settings, programName }: HostSubject): Finding | null {
  const { dataDirectory: state, osUser } = host;
  const path = settings.data_directory;
  const make = `clone the primary: ${programName} -h PRIMARY -U repmgr -d repmgr standby clone; for the first primary: initdb -D ${path}`;
  switch (state.kind) {
    case "absent":
      return failed("data_directory_missing", `data_directory "${path}" does not exist`, make);
    case "dangling-link":
      return failed("data_directory_missing", `data_directory "${path}" is a link that leads nowhere`, make);
    case "not-a-directory":
      return failed("data_directory_missing", `data_directory "${path}" is not a directory`, make);
    case "unreadable":
      return failed(
        "data_directory_unreadable",
        `data_directory "${path}": ${state.reason}`,
        `execute this as the user that owns it, or: sudo chown -R ${osUser} ${path}`,
      );
    case "directory":
      if (!state.isOwn)
        return failed(
          "data_directory_owner",
          `data_directory "${path}" does not belong to user "${osUser}"`,
          `execute this as the user that owns it, or: sudo chown -R ${osUser} ${path}`,
        );
      if (!state.isDataDirectory)
        return failed("data_directory_missing", `data_directory "${path}" holds no PG_VERSION`, make);
      return null;
  }
}

function judgeMode({ host, settings }: HostSubject): Finding | null {
  const { dataDirectoryMode: mode } = host;
  if (mode === null || mode === 0o700 || mode === 0o750) return null;
  return failed(
    "data_directory_mode",
    `data_directory has mode 0${mode.toString(8)}: the server refuses to start`,
    `chmod 0700 ${settings.data_directory}`,
  );
}

function judgeServerDirectory({ host, settings, server }: HostSubject): Finding | null {
  const actual = server?.settings.get("data_directory") ?? null;
  if (actual === null || host.dataDirectory.kind !== "directory") return null;
  if (actual === settings.data_directory.replace(/(?<=.)\/+$/, "") || actual === host.dataDirectory.realPath)
    return null;
  return failed(
    "data_directory_differs",
    `repmgr.conf says "${settings.data_directory}", the server runs in "${actual}"`,
    `set data_directory='${actual}' in repmgr.conf, or data_directory in postgresql.conf and restart the server`,
  );
}

export function checkPrograms({ host, settings, server }: HostSubject): CheckResult {
  const { missing, major } = host.programs;
  const where = settings.pg_bindir === "" ? "in PATH" : `in pg_bindir "${settings.pg_bindir}"`;
  const findings: Finding[] = [];
  const wanted = server === null ? null : Math.floor(server.version / 10_000);
  const example = `pg_bindir='/usr/lib/postgresql/${wanted ?? major ?? 17}/bin'`;
  if (missing.length > 0) {
    findings.push(
      failed("programs_missing", `not found ${where}: ${missing.join(", ")}`, `in repmgr.conf: ${example}`),
    );
  }
  if (wanted !== null && major !== null && wanted !== major) {
    findings.push(
      failed(
        "programs_version",
        `pg_ctl ${where} is of PostgreSQL ${major}, the server of ${wanted}`,
        `in repmgr.conf: ${example}`,
      ),
    );
  }
  return { check: "programs", findings, okDetail: `found ${where}` };
}

export function checkServiceCommands({ host }: HostSubject): CheckResult {
  const findings = host.commands.map((command) => judgeCommand(command, host.osUser));
  const count = host.commands.length;
  return {
    check: "service commands",
    findings: findings.filter((finding) => finding !== null),
    okDetail: count === 0 ? "none are set: pg_ctl is used" : `${count} can be executed`,
  };
}

function judgeCommand(command: CommandFacts, osUser: string): Finding | null {
  const { setting, commandLine, program, isFound, sudo } = command;
  if (program === null || !isFound) {
    return failed(
      "command_not_executable",
      `"${setting}": "${program ?? commandLine}" is not there or cannot be executed`,
      `correct the path in "${setting}", or: chmod 755 ${program ?? commandLine}`,
    );
  }
  if (sudo === null || sudo.isAllowed) return null;
  return failed(
    "sudo_refused",
    `"${setting}" needs sudo: ${sudo.reason}`,
    `echo "${osUser} ALL = NOPASSWD: ${program}" | sudo tee /etc/sudoers.d/${osUser}`,
  );
}

const MEBIBYTE = 1024 * 1024;
const TOO_LITTLE_BYTES = 256 * MEBIBYTE;
const LITTLE_BYTES = 1024 * MEBIBYTE;
const PLENTY_BYTES = 20 * 1024 * MEBIBYTE;

export function checkDiskSpace({ host }: HostSubject): CheckResult {
  const shown = host.disks.map(({ path, freeBytes }) => `${formatMebibytes(freeBytes)} free at "${path}"`);
  const findings = host.disks.map(judgeDisk).filter((finding) => finding !== null);
  return { check: "disk space", findings, okDetail: shown.join(", ") || "not known" };
}

/** A tenth is little, unless a tenth is much. Null when there is room. */
export function judgeDisk({ path, freeBytes, totalBytes }: DiskFacts): Finding | null {
  const little = Math.max(LITTLE_BYTES, Math.min(totalBytes / 10, PLENTY_BYTES));
  if (freeBytes >= little) return null;
  const detail = `${formatMebibytes(freeBytes)} of ${formatMebibytes(totalBytes)} free at "${path}"`;
  const hint = `see what takes the room: df -h ${path}; inactive slots and a failing archive_command keep WAL`;
  return freeBytes < TOO_LITTLE_BYTES
    ? failed("disk_full", detail, hint)
    : warning("disk_space", detail, hint);
}
