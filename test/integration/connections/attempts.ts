import { parseConninfo } from "../../../src/model/conninfo.js";
import { createDatabases } from "../../../src/postgres/connect.js";
import { ConnectionError } from "../../../src/postgres/connection-error.js";
import type { ConnectOptions, Database, Databases } from "../../../src/postgres/database.js";
import type { ConnectionEnvironment } from "../../../src/postgres/environment-defaults.js";
import { homeDirectory, passfile } from "../../harness/test-run.js";

/** The user of these tests: an empty home, the harness' password file. */
export function databasesOf(environment: Partial<ConnectionEnvironment> = {}): Databases {
  return createDatabases({
    variables: { PGPASSFILE: passfile() },
    homeDirectory: homeDirectory(),
    osUser: "nobody",
    ...environment,
  });
}

export function connect(
  conninfo: string,
  environment: Partial<ConnectionEnvironment> = {},
  options: ConnectOptions = {},
): Promise<Database> {
  return databasesOf(environment).connect(parseConninfo(conninfo), options);
}

/** One value from a session that is closed afterwards. */
export async function askOnce<Value>(
  conninfo: string,
  expression: string,
  environment: Partial<ConnectionEnvironment> = {},
): Promise<Value> {
  const database = await connect(conninfo, environment);
  try {
    const [row] = await database.query<{ value: Value }>(`SELECT ${expression} AS value`);
    if (row === undefined) throw new Error("no row");
    return row.value;
  } finally {
    await database.close();
  }
}

/** The refusal of a connection string; fails when it connects. */
export async function refusalOf(
  conninfo: string,
  environment: Partial<ConnectionEnvironment> = {},
  options: ConnectOptions = {},
): Promise<ConnectionError> {
  let database: Database;
  try {
    database = await connect(conninfo, environment, options);
  } catch (error) {
    if (error instanceof ConnectionError) return error;
    throw error;
  }
  await database.close();
  throw new Error(`connected, although it should not: ${conninfo}`);
}
