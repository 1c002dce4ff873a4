import { isRefusedByPooler } from "../../model/pooler.js";
import { accessLineFor, judgeAccess, type AccessRequest } from "./access-rules.js";
import { isLoopback, isLoopbackHost } from "./addresses.js";
import type { AccessRule, Attempt, DoctorFacts, NodeFacts } from "./facts.js";
import { at } from "./format.js";
import { failed, note, type CheckResult, type Finding } from "./report.js";

/** Whether this node gets an ordinary session at `node`. */
export function checkConnection(node: NodeFacts, facts: DoctorFacts): CheckResult {
  const findings = judgeAttempt(node.connection, {
    code: "connection_failed",
    hint: hintOnLocal(node, facts) ?? at(node, "start the server, and check conninfo of its node record"),
    prefersOwnHint: node.isLocal && facts.host !== null && (node.foundAt !== null || isDown(facts)),
  });
  return {
    check: "connection",
    findings: [...findings, ...judgePooler(node), ...judgeDatabase(node, facts)],
    okDetail: `as "${node.conninfo.get("user") ?? ""}"`,
  };
}

const REGISTER_AGAIN = "in repmgr.conf, then register with --force";

/** What daemons show each other in sessions is lost behind one, and so are their votes. */
function judgePooler(node: NodeFacts): readonly Finding[] {
  const isRefused = node.connection.kind === "failed" && isRefusedByPooler(node.connection.reason);
  if (!isRefused && node.server?.isThroughPooler !== true) return [];
  return [
    failed(
      "through_pooler",
      "conninfo leads to a connection pooler instead of the server, so that no failover is armed",
      at(node, `set host and port of "conninfo" to those of the server itself ${REGISTER_AGAIN}`),
    ),
  ];
}

const databaseOf = ({ conninfo }: NodeFacts): string => conninfo.get("dbname") ?? conninfo.get("user") ?? "";

/** The node records, and what daemons show each other, are in one database. */
function judgeDatabase(node: NodeFacts, { nodes }: DoctorFacts): readonly Finding[] {
  const reference = nodes.find(({ record }) => record?.type === "primary" && record.active);
  if (reference === undefined || node.conninfo.size === 0 || databaseOf(node) === databaseOf(reference))
    return [];
  return [
    failed(
      "other_database",
      `conninfo leads to database "${databaseOf(node)}", that of node "${reference.nodeName}" to "${databaseOf(reference)}"`,
      at(node, `set "dbname=${databaseOf(reference)}" in "conninfo" ${REGISTER_AGAIN}`),
    ),
  ];
}

export function checkReplicationConnection(node: NodeFacts): CheckResult | null {
  if (node.replication === null) return null;
  const user = node.record?.replicationUser || node.conninfo.get("user") || "";
  const isLikeTheOther =
    node.connection.kind === "failed" &&
    node.replication.kind === "failed" &&
    node.connection.reason === node.replication.reason;
  // A server that is down is one problem, not two.
  if (isLikeTheOther) return null;
  const server = node.server;
  const hint =
    server !== null && !server.mayReplicate && user === server.user
      ? at(node, `ALTER ROLE ${user} REPLICATION`)
      : at(node, `check "max_wal_senders", pg_hba.conf and the right REPLICATION of role "${user}"`);
  const findings = judgeAttempt(node.replication, {
    code: "replication_refused",
    hint,
    prefersOwnHint: false,
  });
  return { check: "replication connection", findings, okDetail: `as "${user}"` };
}

function judgeAttempt(
  attempt: Attempt,
  own: { readonly code: string; readonly hint: string; readonly prefersOwnHint: boolean },
): readonly Finding[] {
  if (attempt.kind === "succeeded") return [];
  const hint = own.prefersOwnHint ? own.hint : (attempt.hint ?? own.hint);
  return [failed(own.code, attempt.reason, hint)];
}

const isDown = ({ host }: DoctorFacts): boolean =>
  host?.dataDirectory.kind !== "directory" || host.dataDirectory.serverPid === null;

/** The next command for a server of this host that does not answer; null when it runs or is another node's. */
function hintOnLocal(node: NodeFacts, { host, programName, configuration }: DoctorFacts): string | null {
  if (!node.isLocal || host === null) return null;
  if (node.foundAt !== null)
    return `the server runs and answers at ${node.foundAt}: set listen_addresses = '*' in postgresql.conf and restart it, or correct "conninfo" in repmgr.conf`;
  const { dataDirectory } = host;
  if (dataDirectory.kind !== "directory" || !dataDirectory.isDataDirectory)
    return "there is no server yet: see the row about the data directory";
  if (dataDirectory.serverPid !== null) return null;
  return `${programName} -f ${configuration.file ?? "repmgr.conf"} node service --action=start`;
}

/** Whether pg_hba.conf of `node` lets every node in: by attempts from here, by its rules for the others. */
export function checkAccess(node: NodeFacts, facts: DoctorFacts): CheckResult | null {
  const { server } = node;
  const refusals = [node.connection, node.replication]
    .filter((attempt) => attempt !== null)
    .filter(isRefusedByRules)
    .map(({ reason, hint }) =>
      failed("access_refused", reason, hint ?? at(node, "add a line to pg_hba.conf and reload the server")),
    );
  if (server === null)
    return refusals.length === 0 ? null : { check: "pg_hba", findings: refusals, okDetail: "" };
  if (server.accessRules === null) {
    const okDetail = "lets this node in; its lines are shown to a superuser only";
    return { check: "pg_hba", findings: refusals, okDetail };
  }
  const rules = { rules: server.accessRules, isTlsOffered: server.settings.get("ssl") === "on" };
  const findings = [...refusals, ...judgeLines(node, rules.rules), ...judgeSources(node, facts, rules)];
  return { check: "pg_hba", findings: mergeSame(findings), okDetail: "lets every node in" };
}

const isRefusedByRules = (attempt: Attempt): attempt is Extract<Attempt, { readonly kind: "failed" }> =>
  attempt.kind === "failed" && attempt.reason.includes("pg_hba.conf");

function judgeLines(node: NodeFacts, rules: readonly AccessRule[]): readonly Finding[] {
  return rules.flatMap(({ line, error }) =>
    error === null
      ? []
      : [
          failed(
            "access_line_invalid",
            `line ${line} of pg_hba.conf is not understood: ${error}`,
            at(node, `correct line ${line} of pg_hba.conf, then SELECT pg_reload_conf()`),
          ),
        ],
  );
}

interface Rules {
  readonly rules: readonly AccessRule[];
  readonly isTlsOffered: boolean;
}

/** Sessions from this node were really tried; a node connects to itself too. */
function judgeSources(node: NodeFacts, facts: DoctorFacts, rules: Rules): readonly Finding[] {
  return facts.nodes
    .filter(({ isLocal }) => !isLocal)
    .flatMap((source) =>
      source.addresses
        // What a host name means on its own machine, 127.0.1.1 say, is not what others see.
        .filter((address) => isLoopback(node.conninfo) || !isLoopbackHost(address))
        .flatMap((address) => requestsFrom(source, { node, address, isTlsOffered: rules.isTlsOffered }))
        .flatMap((request) => judgeRequest(request, { node, source, rules: rules.rules })),
    );
}

function requestsFrom(
  source: NodeFacts,
  { node, address, isTlsOffered }: { node: NodeFacts; address: string; isTlsOffered: boolean },
): readonly AccessRequest[] {
  const user = node.conninfo.get("user") ?? "";
  const common = { address, hostName: source.conninfo.get("host") ?? null, isTlsOffered };
  const database = { kind: "database", name: node.conninfo.get("dbname") ?? user } as const;
  const ordinary: AccessRequest = { ...common, user, database };
  if (node.replication === null || source === node || source.record?.type === "witness") return [ordinary];
  const replicationUser = node.record?.replicationUser || user;
  return [ordinary, { ...common, user: replicationUser, database: { kind: "replication" } }];
}

function judgeRequest(
  request: AccessRequest,
  { node, source, rules }: { node: NodeFacts; source: NodeFacts; rules: readonly AccessRule[] },
): readonly Finding[] {
  const verdict = judgeAccess(rules, request);
  const what =
    request.database.kind === "replication" ? "replication" : `database "${request.database.name}"`;
  if (verdict.kind === "refused") {
    const why = verdict.rule === null ? "no line lets in" : `line ${verdict.rule.line} rejects`;
    const add = `add the line "${accessLineFor(request)}" to pg_hba.conf${verdict.rule === null ? "" : ` before line ${verdict.rule.line}`}, then SELECT pg_reload_conf()`;
    const detail = `${why} user "${request.user}" for ${what} from ${request.address} (node "${source.nodeName}")`;
    return [failed("access_refused", detail, at(node, add))];
  }
  if (verdict.rule.method !== "trust" || isLoopbackHost(request.address)) return [];
  return [note("access_trusted", `line ${verdict.rule.line} lets in without a password ("trust")`)];
}

/** A host name with several addresses, or several nodes on one machine, give the same finding more than once. */
function mergeSame(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.code} ${finding.detail}`, finding])).values()];
}
