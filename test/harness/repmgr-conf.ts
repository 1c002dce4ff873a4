import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface ConfiguredServer {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly conninfo: string;
}

export interface RepmgrConfValues {
  readonly node_id: number;
  readonly node_name: string;
  readonly [key: string]: string | number | boolean;
}

/** Writes `repmgr.conf` into the server's folder; `values` may replace conninfo, data_directory and pg_bindir. */
export async function writeRepmgrConf(server: ConfiguredServer, values: RepmgrConfValues): Promise<string> {
  const path = join(server.directory, "repmgr.conf");
  const settings = {
    conninfo: server.conninfo,
    data_directory: server.dataDirectory,
    pg_bindir: server.binDirectory,
    ...values,
  };
  const lines = Object.entries(settings).map(
    ([key, value]) => `${key}='${String(value).replaceAll("'", "''")}'\n`,
  );
  await writeFile(path, lines.join(""));
  return path;
}
