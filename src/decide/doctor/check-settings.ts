import { isLoopback, isLoopbackHost } from "./addresses.js";
import { findPrimaryNode } from "./check-identity.js";
import type { DoctorFacts, NodeFacts, ServerFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, note, unknown, warning, type CheckResult, type Finding } from "./report.js";

interface Subject {
  readonly node: NodeFacts;
  readonly server: ServerFacts;
  readonly facts: DoctorFacts;
}

/** Every node may become the primary, so each must have what a primary needs. */
export function checkSettings(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): CheckResult {
  const subject = { node, server, facts };
  const isWitness = node.record?.type === "witness";
  const findings = [
    ...(isWitness
      ? []
      : [judgeWalLevel(subject), judgeHotStandby(subject), judgeRewind(subject), judgeWalKeeping(subject)]),
    ...(isWitness ? [] : judgeSenders(subject)),
    ...(isWitness ? [] : judgeAgainstPrimary(subject)),
    judgeListening(subject),
    judgeSenderTimeout(subject),
    judgeLibraries(subject),
    judgePending(subject),
    ...judgeFiles(subject),
  ];
  return {
    check: "settings",
    findings: findings.filter((finding) => finding !== null),
    okDetail: isWitness
      ? "of a witness"
      : `wal_level ${get(server, "wal_level")}, enough WAL senders and slots`,
  };
}

const get = (server: ServerFacts, name: string): string => server.settings.get(name) ?? "";

const alter = ({ node }: Subject, assignment: string, activation: "restart" | "reload"): string =>
  at(node, `ALTER SYSTEM SET ${assignment}; then ${activationOf[activation]}`);

const activationOf = {
  restart: "restart the server (node service --action=restart)",
  reload: "SELECT pg_reload_conf()",
};

const countStandbys = ({ node, facts }: Subject): number =>
  facts.nodes.filter((other) => other !== node && other.record?.type !== "witness").length;

function judgeWalLevel(subject: Subject): Finding | null {
  const level = get(subject.server, "wal_level");
  if (level === "replica" || level === "logical") return null;
  return failed(
    "wal_level",
    `wal_level is "${level}": no standby can stream`,
    alter(subject, "wal_level = 'replica'", "restart"),
  );
}

function judgeHotStandby(subject: Subject): Finding | null {
  if (get(subject.server, "hot_standby") === "on") return null;
  const detail = "hot_standby is off: as a standby it lets nobody in, and cannot be managed";
  return failed("hot_standby", detail, alter(subject, "hot_standby = on", "restart"));
}

function judgeRewind(subject: Subject): Finding | null {
  const { server } = subject;
  const canRewind = get(server, "data_checksums") === "on" || get(server, "wal_log_hints") === "on";
  if (!canRewind) {
    return warning(
      "rewind_impossible",
      "neither data checksums nor wal_log_hints: after a failover this node can only be cloned again",
      alter(subject, "wal_log_hints = on", "restart"),
    );
  }
  if (get(server, "full_page_writes") !== "off") return null;
  const detail = "full_page_writes is off: node rejoin --force-rewind is not possible";
  return warning("rewind_impossible", detail, alter(subject, "full_page_writes = on", "reload"));
}

/** A clone needs two WAL senders for itself while it runs. */
const SENDERS_OF_CLONE = 2;

function judgeSenders(subject: Subject): readonly Finding[] {
  const { server, facts } = subject;
  const standbys = countStandbys(subject);
  const senders = Number(get(server, "max_wal_senders"));
  const slots = Number(get(server, "max_replication_slots"));
  const findings: Finding[] = [];
  const enough = `max_wal_senders = ${Math.max(10, standbys + SENDERS_OF_CLONE)}`;
  if (senders < Math.max(standbys, 1)) {
    findings.push(
      failed(
        "max_wal_senders",
        `max_wal_senders is ${senders}, for ${standbys} other nodes`,
        alter(subject, enough, "restart"),
      ),
    );
  } else if (senders < standbys + SENDERS_OF_CLONE) {
    const detail = `max_wal_senders is ${senders}: with ${standbys} other nodes a clone, which needs ${SENDERS_OF_CLONE}, is refused`;
    findings.push(warning("max_wal_senders", detail, alter(subject, enough, "restart")));
  }
  const usesSlots =
    facts.settings?.use_replication_slots === true ||
    facts.nodes.some(({ record }) => (record?.slotName ?? "") !== "");
  if (usesSlots && slots < Math.max(standbys, 1)) {
    findings.push(
      failed(
        "max_replication_slots",
        `max_replication_slots is ${slots}, for ${standbys} other nodes`,
        alter(subject, `max_replication_slots = ${Math.max(10, standbys)}`, "restart"),
      ),
    );
  }
  return findings;
}

/** What keeps WAL for a standby that is away for a while: a slot, wal_keep_size, or an archive that it reads. */
function judgeWalKeeping(subject: Subject): Finding | null {
  const { node, server, facts } = subject;
  const children = facts.nodes.filter(({ record }) => record?.upstreamNodeId === node.nodeId);
  const standbys = children.filter(({ record }) => record?.type === "standby");
  const slotless = standbys.filter(({ record }) => (record?.slotName ?? "") === "");
  if (slotless.length > 0 && get(server, "wal_keep_size") === "0") {
    const canRestore =
      (facts.settings?.restore_command ?? "") !== "" && get(server, "archive_mode") !== "off";
    if (canRestore) return null;
    return warning(
      "wal_not_kept",
      `nothing keeps WAL for ${slotless.map(({ nodeName }) => `"${nodeName}"`).join(", ")}: after a pause it must be cloned again`,
      `set use_replication_slots=true in repmgr.conf, register with --force and follow again; or ${alter(subject, "wal_keep_size = '1GB'", "reload")}`,
    );
  }
  if (standbys.length === 0 || slotless.length === standbys.length) return null;
  if (get(server, "max_slot_wal_keep_size") !== "-1") return null;
  return note(
    "slots_unlimited",
    "max_slot_wal_keep_size is -1: a standby that is away can fill this disk with WAL",
  );
}

const notLowerOnStandbys = [
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_transactions",
  "max_locks_per_transaction",
];

function judgeAgainstPrimary(subject: Subject): readonly Finding[] {
  const { server, facts } = subject;
  const primary = findPrimaryNode(facts)?.server ?? null;
  if (primary === null || !server.inRecovery) return [];
  return notLowerOnStandbys.flatMap((name) => {
    const [own, wanted] = [Number(get(server, name)), Number(get(primary, name))];
    if (Number.isNaN(own) || Number.isNaN(wanted) || own >= wanted) return [];
    return [
      failed(
        "lower_than_primary",
        `${name} is ${own}, on the primary ${wanted}: replay stops, or the standby does not start`,
        alter(subject, `${name} = ${wanted}`, "restart"),
      ),
    ];
  });
}

function judgeListening(subject: Subject): Finding | null {
  const { node, server, facts } = subject;
  const addresses = get(server, "listen_addresses")
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "");
  if (!addresses.every(isLoopbackHost)) return null;
  const others = facts.nodes.filter((other) => other !== node);
  const isOneMachine = isLoopback(node.conninfo) && others.every(({ conninfo }) => isLoopback(conninfo));
  if (isOneMachine && (addresses.length > 0 || !node.conninfo.has("host"))) return null;
  return failed(
    "listen_addresses",
    `listen_addresses is '${addresses.join(", ")}': no other machine can connect`,
    alter(subject, "listen_addresses = '*'", "restart"),
  );
}

const SHORT_SENDER_TIMEOUT_MS = 5000;

function judgeSenderTimeout({ server }: Subject): Finding | null {
  const timeoutMs = Number(get(server, "wal_sender_timeout"));
  if (!(timeoutMs > 0 && timeoutMs < SHORT_SENDER_TIMEOUT_MS)) return null;
  const detail = `wal_sender_timeout is ${timeoutMs} ms: a short pause of the network ends replication`;
  return note("wal_sender_timeout", detail);
}

function judgeLibraries(subject: Subject): Finding | null {
  const libraries = get(subject.server, "shared_preload_libraries")
    .split(",")
    .map((name) => name.trim().replaceAll('"', ""));
  if (!libraries.includes("repmgr_funcs")) return null;
  const rest = libraries.filter((name) => name !== "repmgr_funcs").join(", ");
  return warning(
    "old_library",
    'shared_preload_libraries names "repmgr_funcs" of repmgr 3: with another release the server does not start',
    alter(subject, `shared_preload_libraries = '${rest}'`, "restart"),
  );
}

function judgePending({ server, node }: Subject): Finding | null {
  if (server.pendingRestart.length === 0) return null;
  return warning(
    "restart_pending",
    `changed in the files, not in effect until a restart: ${server.pendingRestart.join(", ")}`,
    at(node, activationOf.restart),
  );
}

function judgeFiles({ server, node }: Subject): readonly Finding[] {
  if (server.fileErrors === null) {
    return [
      unknown(
        "files_not_shown",
        "errors in its configuration files are shown to a superuser only",
        at(node, `GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO ${server.user}`),
      ),
    ];
  }
  return server.fileErrors.map(({ file, line, name, error }) =>
    failed(
      "server_configuration",
      `"${file}" line ${line}: ${name === null ? "" : `"${name}": `}${error}`,
      at(node, `correct line ${line} of "${file}": with it the server does not start again`),
    ),
  );
}
