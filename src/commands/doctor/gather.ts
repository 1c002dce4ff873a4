import type { DoctorFacts, NodeFacts } from "../../decide/doctor/facts.js";
import { listNodes } from "../../metadata/nodes.js";
import { SCHEMA_VERSION } from "../../metadata/install-schema.js";
import { mergeConninfo, parseConninfo, type Conninfo } from "../../model/conninfo.js";
import { nodeId, type NodeRecord } from "../../model/node-record.js";
import type { Database } from "../../postgres/database.js";
import { readPostmasterPlace } from "../../postgres/postmaster-file.js";
import { readPrimaryConninfo } from "../../postgres/recovery-settings.js";
import type { CommandContext } from "../define-command.js";
import {
  askAndClose,
  askInTime,
  askRemoteNode,
  resolveAddresses,
  tryReplication,
  tryToOpen,
  type Opened,
} from "./ask-node.js";
import { gatherHost } from "./gather-host.js";

/** Looks at this host and asks every node at once; whatever does not answer is a fact too. */
export async function gatherDoctorFacts(context: CommandContext): Promise<DoctorFacts> {
  const { configFile, configurationProblems, settings, environment } = context;
  const common = {
    programName: environment.programName,
    configuration: { file: configFile ?? firstFile(configurationProblems.errors), ...configurationProblems },
    schemaVersion: SCHEMA_VERSION,
  };
  if (configFile === null || configurationProblems.errors.length > 0)
    return { ...common, settings: null, host: null, nodes: [], recordsFailure: null };
  const local = await openLocalServer(context);
  const { records, failure } = await findRecords(context, local);
  const [own, others] = await Promise.all([
    askLocalNode(context, local, records.find(({ nodeId: id }) => id === settings.node_id) ?? null),
    Promise.all(
      records
        .filter(({ nodeId: id }) => id !== settings.node_id)
        .map((record) => askRemoteNode(context, record)),
    ),
  ]);
  const host = await gatherHost(context, own.server, others);
  const nodes = [own, ...others].sort((a, b) => a.nodeId - b.nodeId);
  return { ...common, settings, host, nodes, recordsFailure: failure };
}

/** A file that could not be read is named in front of its error. */
const firstFile = ([first]: readonly string[]): string | null => first?.split(": ")[0] ?? null;

interface LocalServer extends Opened {
  readonly conninfo: Conninfo;
  /** Where it was found when conninfo does not lead to it. */
  readonly found: { readonly place: string; readonly database: Database } | null;
}

async function openLocalServer(context: CommandContext): Promise<LocalServer> {
  const conninfo = parseConninfo(context.settings.conninfo);
  const opened = await tryToOpen(context, conninfo);
  if (opened.database !== null) return { ...opened, conninfo, found: null };
  return { ...opened, conninfo, found: await findLocalServer(context, conninfo) };
}

/** By its own postmaster.pid: a server that listens where conninfo does not look can still explain itself. */
async function findLocalServer(context: CommandContext, conninfo: Conninfo): Promise<LocalServer["found"]> {
  const place = await readPostmasterPlace(context.settings.data_directory);
  if (place === null) return null;
  const hosts = [place.socketDirectory, "localhost"].filter((host) => host !== "");
  for (const host of hosts) {
    const nearby = new Map([...conninfo, ["host", host], ["port", place.port]]);
    nearby.delete("hostaddr");
    const { database } = await tryToOpen(context, nearby);
    if (database !== null) return { place: `host=${host} port=${place.port}`, database };
  }
  return null;
}

interface FoundRecords {
  readonly records: readonly NodeRecord[];
  readonly failure: string | null;
}

/** From this server; while it has none to tell, from the one of the command line, or from where this standby streams. */
async function findRecords(context: CommandContext, local: LocalServer): Promise<FoundRecords> {
  const database = local.database ?? local.found?.database ?? null;
  const first = database === null ? null : await readRecords(context, local.conninfo, database);
  if (first !== null && first.records.length > 0) return first;
  const others = await otherSources(context, local);
  for (const conninfo of others) {
    const { database: other } = await tryToOpen(context, conninfo);
    if (other === null) continue;
    const found = await readRecords(context, conninfo, other);
    other.close().catch(() => undefined);
    if (found.records.length > 0) return found;
  }
  return first ?? { records: [], failure: "no server that has them answers" };
}

async function otherSources(context: CommandContext, local: LocalServer): Promise<readonly Conninfo[]> {
  const { connection, settings } = context;
  if (connection.size > 0) return [mergeConninfo(local.conninfo, connection)];
  if (local.database !== null) return [];
  const upstream = await readPrimaryConninfo(settings.data_directory).catch(() => null);
  if (upstream === null) return [];
  const own = [...local.conninfo].filter(([keyword]) => keyword === "user" || keyword === "dbname");
  return [new Map([...upstream, ...own])];
}

async function readRecords(
  context: CommandContext,
  conninfo: Conninfo,
  database: Database,
): Promise<FoundRecords> {
  const answer = await askInTime(context, conninfo, () => listNodes(database));
  if (answer.kind === "failed") return { records: [], failure: answer.reason };
  return { records: answer.value, failure: answer.value.length === 0 ? "repmgr.nodes is empty" : null };
}

async function askLocalNode(
  context: CommandContext,
  local: LocalServer,
  record: NodeRecord | null,
): Promise<NodeFacts> {
  const { settings } = context;
  const { conninfo, found } = local;
  const user = record?.replicationUser || settings.replication_user;
  const [asked, replication, addresses] = await Promise.all([
    found === null
      ? askAndClose(context, local, conninfo)
      : askAndClose(context, { attempt: { kind: "succeeded" }, database: found.database }, conninfo),
    record?.type === "witness" ? null : tryReplication(context, conninfo, user),
    resolveAddresses(conninfo),
  ]);
  return {
    nodeId: nodeId(settings.node_id),
    nodeName: settings.node_name,
    conninfo,
    record,
    isLocal: true,
    addresses,
    connection: found === null ? asked.attempt : local.attempt,
    replication,
    server: asked.server,
    foundAt: found?.place ?? null,
  };
}
