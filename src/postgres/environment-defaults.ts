import { join } from "node:path";
import type { Conninfo } from "../model/conninfo.js";
import { storeConninfoValue } from "../model/conninfo-keywords.js";
import { readService } from "./service-file.js";

/** Whose environment and home directory supply what a connection string leaves out. */
export interface ConnectionEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly osUser: string;
}

/** libpq's environment variables, in the order of its option table. */
const variableOfKeyword: readonly (readonly [keyword: string, variable: string])[] = [
  ["user", "PGUSER"],
  ["password", "PGPASSWORD"],
  ["passfile", "PGPASSFILE"],
  ["channel_binding", "PGCHANNELBINDING"],
  ["connect_timeout", "PGCONNECT_TIMEOUT"],
  ["dbname", "PGDATABASE"],
  ["host", "PGHOST"],
  ["hostaddr", "PGHOSTADDR"],
  ["port", "PGPORT"],
  ["client_encoding", "PGCLIENTENCODING"],
  ["options", "PGOPTIONS"],
  ["application_name", "PGAPPNAME"],
  ["sslmode", "PGSSLMODE"],
  ["sslnegotiation", "PGSSLNEGOTIATION"],
  ["sslcompression", "PGSSLCOMPRESSION"],
  ["sslcert", "PGSSLCERT"],
  ["sslkey", "PGSSLKEY"],
  ["sslcertmode", "PGSSLCERTMODE"],
  ["sslrootcert", "PGSSLROOTCERT"],
  ["sslcrl", "PGSSLCRL"],
  ["sslcrldir", "PGSSLCRLDIR"],
  ["sslsni", "PGSSLSNI"],
  ["requirepeer", "PGREQUIREPEER"],
  ["require_auth", "PGREQUIREAUTH"],
  ["ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"],
  ["ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"],
  ["gssencmode", "PGGSSENCMODE"],
  ["krbsrvname", "PGKRBSRVNAME"],
  ["gsslib", "PGGSSLIB"],
  ["gssdelegation", "PGGSSDELEGATION"],
  ["target_session_attrs", "PGTARGETSESSIONATTRS"],
  ["load_balance_hosts", "PGLOADBALANCEHOSTS"],
];

const SECONDS_PER_HOST = "2";

/**
 * What a connection will really use, by libpq's precedence: the string, the service, PG* variables, defaults. Adds what
 * repmgr adds (reference: repmgr 5.5 `dbutils.c`). Throws ConnectionError for an unknown service.
 */
export async function resolveConninfo(
  conninfo: Conninfo,
  environment: ConnectionEnvironment,
): Promise<Conninfo> {
  const { variables } = environment;
  const result = new Map(conninfo);
  const addMissing = (keyword: string, value: string | undefined): void => {
    if (value !== undefined && !result.has(keyword)) storeConninfoValue(result, keyword, value);
  };
  const service = result.get("service") ?? variables["PGSERVICE"];
  if (service !== undefined && service !== "") {
    const file = result.get("servicefile") ?? variables["PGSERVICEFILE"];
    for (const [keyword, value] of await readService(service, environment, file)) addMissing(keyword, value);
  }
  for (const [keyword, variable] of variableOfKeyword) addMissing(keyword, variables[variable]);
  if (variables["PGREQUIRESSL"]?.startsWith("1") === true) addMissing("sslmode", "require");
  addMissing("sslmode", result.get("sslrootcert") === "system" ? "verify-full" : "prefer");
  addMissing("target_session_attrs", "any");
  fillEmpty(result, "connect_timeout", SECONDS_PER_HOST);
  fillEmpty(result, "fallback_application_name", "repmgr");
  if ((result.get("user") ?? "") === "") result.set("user", environment.osUser);
  fillEmpty(result, "dbname", result.get("user") ?? "");
  fillEmpty(result, "passfile", join(environment.homeDirectory, ".pgpass"));
  result.delete("options");
  return result;
}

function fillEmpty(target: Map<string, string>, keyword: string, value: string): void {
  if ((target.get(keyword) ?? "") === "") target.set(keyword, value);
}
