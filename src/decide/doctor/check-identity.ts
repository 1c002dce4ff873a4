import type { DoctorFacts, NodeFacts, ServerFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, warning, type CheckResult, type Finding } from "./report.js";

/** Whether the server is the one that is registered: same cluster, one of a kind, in its role. */
export function checkIdentity(node: NodeFacts, facts: DoctorFacts): CheckResult | null {
  const { server, record } = node;
  if (server === null) return record === null ? unregistered(node, facts) : null;
  const findings = [
    judgeCluster(node, server, facts),
    judgeTwin(node, server, facts),
    judgeRegistration(node, facts),
    judgeRole(node, server, facts),
  ].filter((finding) => finding !== null);
  return {
    check: "identity",
    findings,
    okDetail: `${record?.type ?? "server"}, system identifier ${server.systemIdentifier ?? "not shown"}`,
  };
}

const isWitness = ({ record }: NodeFacts): boolean => record?.type === "witness";

const isRunningPrimary = (node: NodeFacts): boolean =>
  node.server !== null && !node.server.inRecovery && !isWitness(node);

/** The node that is registered as the primary and is out of recovery; otherwise any that is. */
export function findPrimaryNode({ nodes }: DoctorFacts): NodeFacts | null {
  const running = nodes.filter(isRunningPrimary);
  return (
    running.find(({ record }) => record?.type === "primary" && record.active) ??
    running.find(({ record }) => record?.active === true) ??
    running[0] ??
    null
  );
}

function unregistered(node: NodeFacts, facts: DoctorFacts): CheckResult | null {
  const finding = judgeRegistration(node, facts);
  return finding === null ? null : { check: "identity", findings: [finding], okDetail: "" };
}

function judgeRegistration(node: NodeFacts, facts: DoctorFacts): Finding | null {
  const { record, server } = node;
  const command = `${facts.programName} -f ${facts.configuration.file ?? "repmgr.conf"}`;
  if (record !== null) {
    if (record.active || server === null) return null;
    const repair = server.inRecovery
      ? `${facts.programName} standby register --force`
      : `stop it, then ${facts.programName} node rejoin -d 'CONNINFO OF THE PRIMARY'`;
    return failed("inactive_but_running", "runs, but its node record is inactive", at(node, repair));
  }
  // Without the records nobody knows; the row about the schema or the connection says what is missing.
  if (facts.recordsFailure !== null) {
    if (server === null) return null;
    const verb = server.inRecovery ? "standby" : "primary";
    return warning(
      "not_registered",
      `no node records: ${facts.recordsFailure}`,
      `${command} ${verb} register`,
    );
  }
  const primary = findPrimaryNode(facts);
  if (server === null) {
    const source = primary === null ? "PRIMARY" : (primary.conninfo.get("host") ?? "PRIMARY");
    const hint = `${command} -h ${source} -U repmgr -d repmgr standby clone`;
    return warning("not_registered", "this node is not registered in the cluster", hint);
  }
  return warning(
    "not_registered",
    "this node is not registered in the cluster",
    `${command} ${server.inRecovery ? "standby" : "primary"} register`,
  );
}

function judgeCluster(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): Finding | null {
  if (isWitness(node)) return null;
  const primary = findPrimaryNode(facts)?.server?.systemIdentifier ?? null;
  if (primary === null || server.systemIdentifier === null || server.systemIdentifier === primary)
    return null;
  return failed(
    "other_cluster",
    `system identifier is ${server.systemIdentifier}, that of the primary is ${primary}: no copy of it`,
    at(node, `${facts.programName} standby clone --force -h PRIMARY -U repmgr -d repmgr`),
  );
}

function judgeTwin(node: NodeFacts, server: ServerFacts, { nodes }: DoctorFacts): Finding | null {
  const twin = nodes.find((other) => other !== node && other.server?.identity === server.identity);
  if (twin === undefined) return null;
  return failed(
    "same_server",
    `its conninfo leads to the same server as that of node "${twin.nodeName}" (ID: ${twin.nodeId})`,
    at(node, 'correct "conninfo" in repmgr.conf, then register with --force'),
  );
}

function judgeRole(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): Finding | null {
  const { record } = node;
  if (record === null) return null;
  const { programName } = facts;
  const primary = findPrimaryNode(facts);
  if (record.type === "witness") {
    if (!server.inRecovery) return null;
    const hint = at(node, "a witness needs a server of its own: initdb another one");
    return failed("witness_in_recovery", "registered as witness, but runs as a standby", hint);
  }
  if (server.inRecovery) {
    if (record.type !== "primary") return null;
    const hint = at(node, `${programName} standby register --force`);
    return failed("running_as_standby", "registered as primary, but runs as a standby", hint);
  }
  if (primary !== null && primary !== node) {
    return failed(
      "two_primaries",
      `runs as a primary beside node "${primary.nodeName}" (ID: ${primary.nodeId})`,
      at(node, `stop it, then ${programName} node rejoin --force-rewind -d '${conninfoOf(primary)}'`),
    );
  }
  if (record.type === "primary") return null;
  const hint = at(node, `${programName} primary register --force`);
  return failed("running_as_primary", "registered as standby, but runs as a primary", hint);
}

function conninfoOf({ conninfo }: NodeFacts): string {
  return ["host", "port", "user", "dbname"]
    .flatMap((keyword) => {
      const value = conninfo.get(keyword);
      return value === undefined ? [] : [`${keyword}=${value}`];
    })
    .join(" ");
}
