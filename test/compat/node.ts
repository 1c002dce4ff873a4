import type { Agent, RunResult } from "./agent.js";

/** Nodes are numbered by their names; w4 is the witness, n5 has no data directory yet. */
export const nodeNames = ["n1", "n2", "n3", "w4", "n5"] as const;
export type NodeName = (typeof nodeNames)[number];

export type Program = "reference" | "ours";

/**
 * The two databases of a cluster: in `repmgr` the reference has its extension, `nolibs` has our schema of plain SQL.
 * The names have one length, so that tables with connection strings differ in nothing else.
 */
export const databases = ["repmgr", "nolibs"] as const;
export type Database = (typeof databases)[number];

export const dataDirectory = "/cluster/data";
export const confOf = (database: Database): string => `/etc/${database}.conf`;
export const idOf = (name: NodeName): number => Number(name.slice(1));

export interface CompatNode {
  readonly name: NodeName;
  /** Runs a line of shell as `postgres`; `repmgr` in it is the program. */
  run(line: string, program?: Program): Promise<RunResult>;
  /** The same; throws with its output when it does not end with 0, answers standard output. */
  expectSuccess(line: string, program?: Program): Promise<string>;
  /** Runs a line as root, throws when it fails. */
  administer(line: string): Promise<string>;
  /** The JSON that a script of psql prints. */
  read(database: Database | "postgres", script: string): Promise<unknown>;
  /** Statements as the superuser; throws when one fails. */
  execute(database: Database | "postgres", sql: string): Promise<void>;
}

export function createNode(name: NodeName, agent: Agent, postgresMajor: string): CompatNode {
  const systemPath = `/usr/lib/postgresql/${postgresMajor}/bin:/usr/local/bin:/usr/bin:/bin`;
  const run: CompatNode["run"] = (line, program = "reference") =>
    agent({ line, user: "postgres", path: `/opt/${program}/bin:${systemPath}` });
  const expectSuccess: CompatNode["expectSuccess"] = async (line, program) =>
    outputOf(name, line, await run(line, program));
  const psql = (database: string, sql: string): Promise<string> =>
    expectSuccess(`psql -XqAt -v ON_ERROR_STOP=1 -d ${database} <<'END OF SQL'\n${sql}\nEND OF SQL`);
  return {
    name,
    run,
    expectSuccess,
    administer: async (line) =>
      outputOf(name, line, await agent({ line, user: "root", path: `${systemPath}:/usr/sbin:/sbin` })),
    read: async (database, script) => JSON.parse(await psql(database, script)) as unknown,
    execute: async (database, sql) => {
      await psql(database, sql);
    },
  };
}

function outputOf(name: string, line: string, { exitCode, stdout, stderr }: RunResult): string {
  if (exitCode === 0) return stdout;
  throw new Error(`${name}: ${line}\nended with ${String(exitCode)}:\n${stdout}${stderr}`);
}
