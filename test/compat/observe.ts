import type { RunResult } from "./agent.js";
import type { Cluster } from "./cluster.js";
import { dataDirectory, type Database, type NodeName } from "./node.js";

/** What is compared, by name; a value is whatever reads well in a report of differences. */
export type Observation = Readonly<Record<string, unknown>>;

/** An observation with what helps to understand a difference. */
export interface Observed {
  readonly observation: Observation;
  readonly stderr: string;
}

/** Our words are our own, so of standard error only the worst level is compared. */
type WorstMessage = "error" | "warning" | "none";

/** What a command line left in the terminal. */
export function observeRun({ exitCode, stdout, stderr }: RunResult, database: Database): Observation {
  return {
    "exit code": exitCode,
    stdout: maskPositions(unify(stdout, database)),
    "worst message": worstOf(stderr),
  };
}

/** A server writes a few bytes every 15 seconds, perhaps between the runs of the two programs. */
const maskPositions = (text: string): string =>
  text.replace(/(Last (?:received|replayed) LSN"?[:,] ?"?)[0-9A-F]+\/[0-9A-F]+/g, "$1X/X");

/** The same with the NOTICE lines, which guides and scripts look for. */
export function observeWords(result: RunResult, database: Database): Observation {
  return { ...observeRun(result, database), notices: listNotices(result, database) };
}

/** What came of a command for which several hosts worked at the same time, so that its words have no order. */
export function observeOutcome(result: RunResult, database: Database): Observation {
  return { "exit code": result.exitCode, "last notice": listNotices(result, database).at(-1) };
}

function listNotices({ stderr }: RunResult, database: Database): readonly string[] {
  const lines = unify(stderr, database).split("\n");
  return lines.filter((line) => line.startsWith("NOTICE: ")).map((line) => line.trimEnd());
}

/** Rows of the schema: nodes on the primary and on the witness, events that are new, the term. */
export async function observeMetadata(
  { node }: Cluster,
  database: Database,
  primary: NodeName,
): Promise<Observation> {
  const read = async (name: NodeName, script: string): Promise<unknown> =>
    JSON.parse(unify(JSON.stringify(await node(name).read(database, script)), database));
  const [onPrimary, onWitness] = await Promise.all([
    read(primary, unlessMissing(primaryRows)),
    read("w4", unlessMissing(nodeRows)),
  ]);
  return { ...(onPrimary as Observation), "nodes on the witness": onWitness };
}

/** Rows that several hosts have written at the same time: of the events what happened to whom. */
export function withoutOrder(rows: Observation): Observation {
  const events = rows["events"] as readonly {
    readonly of: number;
    readonly event: string;
    readonly successful: boolean;
  }[];
  const names = events.map(({ of, event, successful }) => `${String(of)} ${event} ${String(successful)}`);
  return { ...rows, events: names.sort() };
}

const unlessMissing = (select: string): string => `
  SELECT to_regclass('repmgr.nodes') IS NULL AS missing \\gset
  \\if :missing
  SELECT '{"nodes": "no schema"}'
  \\else
  ${select}
  \\endif`;

const nodeRows =
  "SELECT coalesce(json_agg(to_json(nodes) ORDER BY node_id), '[]') FROM repmgr.nodes AS nodes";

// Where an event has no details the reference writes NULL or an empty string as it happens; readers see no difference.
const primaryRows = `
  WITH events AS (
    SELECT node_id, event, successful, coalesce(details, '') AS details, event_timestamp AS time FROM repmgr.events
    WHERE NOT EXISTS (SELECT FROM kept.events AS old WHERE old.event_timestamp = events.event_timestamp)
  )
  SELECT json_build_object(
    'nodes', (${nodeRows}),
    'events', (SELECT coalesce(json_agg(
      json_build_object('of', node_id, 'event', event, 'successful', successful,
        'details', regexp_replace(details, 'after [0-9]+ seconds', 'after N seconds')) ORDER BY time), '[]') FROM events),
    'history', (SELECT count(*) FROM repmgr.monitoring_history),
    'voting term', (SELECT max(term) FROM repmgr.voting_term)
  );`;

/** What a clone has written, and the slots that it has made. */
export async function observeClone({ node }: Cluster): Promise<Observation> {
  const print = async (line: string): Promise<string> => (await node("n5").run(line)).stdout;
  const slots = (name: NodeName): Promise<unknown> =>
    node(name).read(
      "postgres",
      "SELECT coalesce(json_agg(slot_name ORDER BY slot_name), '[]') FROM pg_replication_slots",
    );
  const [directory, parameters, signal, label, slotsOfN1, slotsOfN2] = await Promise.all([
    print(`stat -c '%A %U' ${dataDirectory}`),
    print(`cat ${dataDirectory}/postgresql.auto.conf`),
    print(`stat -c '%A %U' ${dataDirectory}/standby.signal`),
    print(`grep '^LABEL' ${dataDirectory}/backup_label`),
    slots("n1"),
    slots("n2"),
  ]);
  return {
    "data directory": directory,
    "postgresql.auto.conf": readParameters(parameters),
    "standby.signal": signal,
    "backup label": label,
    "slots of n1": slotsOfN1,
    "slots of n2": slotsOfN2,
  };
}

/** The parameters in a postgresql.auto.conf. The order of a connection string's keywords means nothing. */
export const readParameters = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(orderKeywords);

const orderKeywords = (line: string): string =>
  line.replace(/^(primary_conninfo = ')(.*)(')$/, (_, start: string, conninfo: string, end: string) =>
    [start, conninfo.split(" ").sort().join(" "), end].join(""),
  );

/** Makes the output of the database without the extension that of the other one. */
export function unify(text: string, database: Database): string {
  return text.replaceAll(database, "repmgr");
}

function worstOf(stderr: string): WorstMessage {
  if (/^(?:ERROR: |The following command line errors|repmgr: )/m.test(stderr)) return "error";
  return /^WARNING: /m.test(stderr) ? "warning" : "none";
}
