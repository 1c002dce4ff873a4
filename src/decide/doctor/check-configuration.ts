import { maskConninfo } from "../../model/conninfo.js";
import { isLoopback } from "./addresses.js";
import type { DoctorFacts, DoctorSettings, NodeFacts } from "./facts.js";
import { failed, note, warning, type CheckResult, type Finding } from "./report.js";

/** repmgr.conf of this node: by itself, and against what is registered. */
export function checkConfiguration(facts: DoctorFacts): CheckResult {
  const { configuration, settings } = facts;
  if (configuration.file === null && configuration.errors.length === 0) return noConfiguration;
  const file = configuration.file ?? "repmgr.conf";
  const findings = [
    ...configuration.errors.map((text) =>
      failed("configuration_error", text, `correct "${file}"; "--dump-config" shows what was understood`),
    ),
    ...configuration.warnings.map((text) =>
      warning("configuration_warning", text, `correct or remove that line of "${file}"`),
    ),
    ...(settings === null
      ? []
      : [
          ...judgeCommands(settings, { file, programName: facts.programName }),
          ...judgeIdentity(facts, settings),
        ]),
    ...judgeLogFile(facts),
  ];
  return { check: "configuration", findings, okDetail: `"${file}" is readable and without contradictions` };
}

const noConfiguration: CheckResult = {
  check: "configuration",
  findings: [
    failed(
      "configuration_missing",
      "no repmgr.conf was found in this directory, /etc or the system's configuration directories",
      "write /etc/repmgr.conf with node_id, node_name, conninfo and data_directory, or name another file with -f",
    ),
  ],
  okDetail: "",
};

interface Names {
  readonly file: string;
  readonly programName: string;
}

function judgeCommands(settings: DoctorSettings, { file, programName }: Names): readonly Finding[] {
  const { failover, promote_command, follow_command, service_promote_command, log_file } = settings;
  const findings: Finding[] = [];
  const automatic = failover === "automatic";
  for (const [name, value] of Object.entries({ promote_command, follow_command })) {
    if (!automatic || value !== "") continue;
    const verb = name === "promote_command" ? "promote" : "follow";
    findings.push(
      failed(
        "command_missing",
        `"failover" is automatic, but "${name}" is not set`,
        `add to "${file}": ${name}='${programName} -f ${file} standby ${verb}'`,
      ),
    );
  }
  if (/\bstandby\s+promote\b/.test(service_promote_command)) {
    findings.push(
      failed(
        "promotion_calls_itself",
        '"service_promote_command" calls "standby promote", which calls it again without end',
        'use "pg_ctl promote" there, and "standby promote" in "promote_command"',
      ),
    );
  }
  if (log_file === "" && /--log-to-file|\s-L\b/.test(`${promote_command} ${follow_command}`)) {
    const hint = `add to "${file}": log_file='/var/log/postgresql/repmgr.log'`;
    findings.push(warning("log_file_missing", "--log-to-file is used, but log_file is not set", hint));
  }
  const patienceS = (settings.reconnect_attempts * settings.reconnect_interval) / 1000;
  if (automatic && patienceS < SLOW_RESTART_S) {
    const detail = `a primary that restarts for longer than ${patienceS} s is taken for lost (reconnect_attempts, reconnect_interval)`;
    findings.push(note("short_patience", detail));
  }
  return findings;
}

/** Within this a busy server stops, recovers and accepts connections again. */
const SLOW_RESTART_S = 30;

function judgeIdentity(facts: DoctorFacts, settings: DoctorSettings): readonly Finding[] {
  const { nodes, programName, configuration } = facts;
  const own = nodes.find(({ isLocal }) => isLocal);
  if (own === undefined) return [];
  const others = nodes.filter((node) => node !== own);
  return [
    judgeLoopback(own, others),
    judgeName(settings, others),
    judgeShared(own, others),
    judgeRecord(own, settings, { programName, file: configuration.file ?? "repmgr.conf" }),
  ].filter((finding) => finding !== null);
}

function judgeLoopback(own: NodeFacts, others: readonly NodeFacts[]): Finding | null {
  if (!isLoopback(own.conninfo)) return null;
  const host = own.conninfo.get("host") ?? "";
  const named = host === "" ? 'names no host ("host=")' : `names this machine only ("${host}")`;
  const hint =
    'put the address of this node, as the others see it, into "conninfo" of repmgr.conf; then register again with --force';
  const distant = others.filter(({ conninfo }) => !isLoopback(conninfo));
  if (distant.length > 0)
    return failed("conninfo_local", `conninfo ${named}: other nodes cannot use it`, hint);
  if (others.length > 0) return null;
  return warning("conninfo_local", `conninfo ${named}: nodes on other machines cannot use it`, hint);
}

function judgeName(settings: DoctorSettings, others: readonly NodeFacts[]): Finding | null {
  const { node_name: name } = settings;
  // PostgreSQL replaces other characters of an application_name, so that the standby is not found by it.
  if (!/^[\x20-\x7e]*$/.test(name)) {
    return failed(
      "name_not_ascii",
      `node_name "${name}" is not plain ASCII: the server changes it in application_name`,
      "choose a node_name of ASCII letters, register again with --force, then execute standby follow",
    );
  }
  const holder = others.find(({ nodeName }) => nodeName === name);
  if (holder === undefined) return null;
  const hint = 'choose another "node_name" in repmgr.conf of one of them, then register it with --force';
  return failed("name_taken", `node ${holder.nodeId} has the name "${name}" too`, hint);
}

function judgeShared(own: NodeFacts, others: readonly NodeFacts[]): Finding | null {
  const place = placeOf(own);
  const twin = others.find((other) => placeOf(other) === place);
  if (twin === undefined) return null;
  return failed(
    "conninfo_shared",
    `conninfo leads to the same server as that of node "${twin.nodeName}" (ID: ${twin.nodeId})`,
    'each node needs its own "conninfo" in repmgr.conf: correct it, then register with --force',
  );
}

const placeOf = ({ conninfo }: NodeFacts): string =>
  [conninfo.get("hostaddr") ?? conninfo.get("host") ?? "", conninfo.get("port") ?? "5432"].join(" ");

function judgeRecord(
  { record }: NodeFacts,
  settings: DoctorSettings,
  { programName, file }: Names,
): Finding | null {
  if (record === null) return null;
  const register = `${programName} -f ${file} ${record.type} register --force`;
  if (record.nodeName !== settings.node_name && record.conninfo !== settings.conninfo) {
    return failed(
      "node_id_taken",
      `node_id ${settings.node_id} is registered as "${record.nodeName}" with other conninfo: ${maskConninfo(record.conninfo)}`,
      `give this node another "node_id", or, if it replaces that one: ${register}`,
    );
  }
  const changed = [
    ...(record.nodeName === settings.node_name ? [] : ["node_name"]),
    ...(record.conninfo === settings.conninfo ? [] : ["conninfo"]),
    ...(settings.use_replication_slots && record.slotName === null ? ["use_replication_slots"] : []),
  ];
  if (changed.length === 0) return null;
  const detail = `${changed.join(", ")} of repmgr.conf ${changed.length === 1 ? "is" : "are"} not what is registered`;
  return warning("record_differs", detail, register);
}

function judgeLogFile({ host }: DoctorFacts): readonly Finding[] {
  if (host === null || host.logFile === null || host.logFile.isWritable) return [];
  const { path } = host.logFile;
  const { osUser } = host;
  return [
    warning(
      "log_file_not_writable",
      `log_file "${path}" cannot be written by user "${osUser}"`,
      `sudo touch ${path} && sudo chown ${osUser} ${path}`,
    ),
  ];
}
