import { ConninfoError, parseConninfo, type Conninfo } from "../../model/conninfo.js";
import { findPrimaryNode } from "./check-identity.js";
import type { DoctorFacts, NodeFacts, ServerFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, note, unknown, warning, type CheckResult, type Finding } from "./report.js";

/** How a standby is attached, against its record. Null for what is none. */
export function checkUpstream(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): CheckResult | null {
  const { record } = node;
  if (!server.inRecovery || record === null || record.type !== "standby") return null;
  const upstream = facts.nodes.find(({ nodeId }) => nodeId === record.upstreamNodeId) ?? null;
  const place = { node, server, facts, upstream };
  const findings = [
    judgeUpstreamRecord(place),
    ...judgePrimaryConninfo(place),
    judgeSlotName(place),
    judgeAttachment(place),
  ].filter((finding) => finding !== null);
  return { check: "upstream", findings, okDetail: `streams from "${upstream?.nodeName ?? "?"}"` };
}

interface Place {
  readonly node: NodeFacts;
  readonly server: ServerFacts;
  readonly facts: DoctorFacts;
  readonly upstream: NodeFacts | null;
}

const follow = ({ node, facts }: Place): string => at(node, `${facts.programName} standby follow`);

function judgeUpstreamRecord(place: Place): Finding | null {
  const { upstream, node, facts } = place;
  if (upstream === null) {
    const detail = "its upstream node is not registered";
    return failed("upstream_unknown", detail, at(node, `${facts.programName} standby register --force`));
  }
  const primary = findPrimaryNode(facts);
  const isGone = upstream.server === null || upstream.record?.active === false;
  if (!isGone || primary === null || primary === upstream) return null;
  const detail = `its upstream "${upstream.nodeName}" does not answer, but "${primary.nodeName}" is a primary`;
  return failed("upstream_lost", detail, follow(place));
}

function judgePrimaryConninfo(place: Place): readonly Finding[] {
  const { server, node, upstream } = place;
  const text = server.settings.get("primary_conninfo");
  if (text === undefined) {
    return [
      unknown(
        "primary_conninfo_not_shown",
        "primary_conninfo is shown to members of pg_read_all_settings only",
        at(node, `GRANT pg_read_all_settings TO ${server.user}`),
      ),
    ];
  }
  const conninfo = readConninfo(text);
  if (conninfo === null || conninfo.size === 0)
    return [failed("primary_conninfo_missing", "primary_conninfo is empty or not readable", follow(place))];
  const findings: Finding[] = [];
  const name = conninfo.get("application_name") || (server.settings.get("cluster_name") ?? "");
  if (name !== node.nodeName) {
    const detail = `application_name in primary_conninfo is "${name}", the node is "${node.nodeName}"`;
    findings.push(failed("application_name", detail, follow(place)));
  }
  if (upstream !== null && !leadsTo(conninfo, upstream)) {
    const detail = `primary_conninfo leads to "${describePlace(conninfo)}", the upstream "${upstream.nodeName}" is at "${describePlace(upstream.conninfo)}"`;
    const hint = at(node, `${place.facts.programName} standby follow --upstream-node-id=${upstream.nodeId}`);
    findings.push(failed("upstream_differs", detail, hint));
  }
  // The local node's password has a row of its own.
  if ((conninfo.get("password") ?? "") !== "" && !node.isLocal) {
    const hint = at(
      node,
      'move it to ~/.pgpass (mode 0600) with database "replication", then standby follow',
    );
    findings.push(warning("password_in_primary_conninfo", "primary_conninfo holds a password", hint));
  }
  return findings;
}

function readConninfo(text: string): Conninfo | null {
  try {
    return parseConninfo(text);
  } catch (error) {
    if (error instanceof ConninfoError) return null;
    throw error;
  }
}

const hostsOf = (conninfo: Conninfo): readonly string[] =>
  [conninfo.get("host") ?? "", conninfo.get("hostaddr") ?? ""]
    .flatMap((hosts) => hosts.split(","))
    .filter((host) => host !== "");

const portsOf = (conninfo: Conninfo): readonly string[] => (conninfo.get("port") || "5432").split(",");

/** By name or by address, since a host may be written in both ways. */
function leadsTo(conninfo: Conninfo, { conninfo: wanted, addresses }: NodeFacts): boolean {
  const known = [...hostsOf(wanted), ...addresses];
  const isSocket = known.length === 0 || known.every((host) => host.startsWith("/"));
  const hasHost = isSocket || hostsOf(conninfo).some((host) => known.includes(host));
  return hasHost && portsOf(conninfo).some((port) => portsOf(wanted).includes(port));
}

const describePlace = (conninfo: Conninfo): string =>
  `${hostsOf(conninfo).join(",")}:${portsOf(conninfo).join(",")}`;

function judgeSlotName(place: Place): Finding | null {
  const { server, node } = place;
  const actual = server.settings.get("primary_slot_name");
  const wanted = node.record?.slotName ?? "";
  if (actual === undefined || actual === wanted) return null;
  const detail = `primary_slot_name is "${actual}", registered is "${wanted}"`;
  return warning("slot_name_differs", detail, follow(place));
}

function judgeAttachment(place: Place): Finding | null {
  const { upstream, node } = place;
  if (upstream?.server === null || upstream === null) return null;
  const senders = upstream.server.walSenders.filter(({ name }) => name === node.nodeName);
  const hint = `${follow(place)}; its server log says why it does not stream`;
  if (senders.length === 0) {
    const detail = `"${upstream.nodeName}" has no WAL sender named "${node.nodeName}"`;
    return failed("not_attached", detail, hint);
  }
  if (senders.some(({ state }) => state === null || state === "streaming")) return null;
  return warning("not_streaming", `attached in state "${senders[0]?.state ?? ""}"`, hint);
}

/** PostgreSQL 17 can keep logical slots on standbys. Null for older servers. */
export function checkSlotSynchronisation(
  node: NodeFacts,
  server: ServerFacts,
  facts: DoctorFacts,
): CheckResult | null {
  if (server.version < 170_000 || node.record?.type === "witness") return null;
  const failoverSlots = (findPrimaryNode(facts)?.server?.slots ?? []).filter(({ isFailover }) => isFailover);
  const names = failoverSlots.map(({ name }) => name).join(", ");
  const check = "slot synchronisation";
  if (!server.inRecovery) {
    const findings = names === "" ? [] : [note("failover_slots", `failover slots: ${names}`)];
    return { check, findings, okDetail: "no failover slots" };
  }
  const isOn = server.settings.get("sync_replication_slots") === "on";
  if (!isOn) {
    if (names === "") return { check, findings: [], okDetail: "off, and no failover slots" };
    const detail = `failover slots (${names}) are not kept on this standby: sync_replication_slots is off`;
    const hint = at(node, "ALTER SYSTEM SET sync_replication_slots = on; then SELECT pg_reload_conf()");
    return { check, findings: [warning("slots_not_synchronised", detail, hint)], okDetail: "" };
  }
  return {
    check,
    findings: judgeSynchronising(node, server),
    okDetail: `on, failover slots: ${names || "none"}`,
  };
}

function judgeSynchronising(node: NodeFacts, server: ServerFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const text = server.settings.get("primary_conninfo");
  const conninfo = text === undefined ? null : readConninfo(text);
  if (conninfo !== null && (conninfo.get("dbname") ?? "") === "") {
    const hint = at(
      node,
      "ALTER SYSTEM SET primary_conninfo with dbname=… added; then SELECT pg_reload_conf()",
    );
    findings.push(
      failed("slot_sync_dbname", "sync_replication_slots needs a dbname in primary_conninfo", hint),
    );
  }
  if (server.settings.get("hot_standby_feedback") !== "on") {
    const hint = at(node, "ALTER SYSTEM SET hot_standby_feedback = on; then SELECT pg_reload_conf()");
    findings.push(failed("slot_sync_feedback", "sync_replication_slots needs hot_standby_feedback", hint));
  }
  if (server.settings.get("primary_slot_name") === "") {
    const hint = at(
      node,
      "set use_replication_slots=true in repmgr.conf, register with --force, standby follow",
    );
    findings.push(failed("slot_sync_slot", "sync_replication_slots needs a primary_slot_name", hint));
  }
  return findings;
}
