import { join } from "node:path";
import type { Conninfo } from "../model/conninfo.js";
import { storeConninfoValue } from "../model/conninfo-keywords.js";
import { readOwnedFile } from "../system/owned-file.js";
import { refuseParameter } from "./connection-error.js";
import type { ConnectionEnvironment } from "./environment-defaults.js";

/** Where Debian's libpq looks when PGSYSCONFDIR is not set. */
const SYSTEM_DIRECTORY = "/etc/postgresql-common";

/** The parameters of one service. Throws ConnectionError when it is defined nowhere or the file is malformed. */
export async function readService(
  service: string,
  environment: ConnectionEnvironment,
  explicitFile: string | undefined,
): Promise<Conninfo> {
  const { variables, homeDirectory } = environment;
  const userFile = explicitFile ?? join(homeDirectory, ".pg_service.conf");
  const systemFile = join(variables["PGSYSCONFDIR"] ?? SYSTEM_DIRECTORY, "pg_service.conf");
  for (const path of [userFile, systemFile]) {
    const file = await readOwnedFile(path);
    if (file.kind === "file") {
      const found = parseServiceFile(file.content.toString(), { service, path });
      if (found !== null) return found;
    } else if (path === explicitFile) {
      throw refuseParameter(`service file "${path}" not found`);
    }
  }
  throw refuseParameter(
    `definition of service "${service}" not found`,
    `add a section [${service}] to "${userFile}" or "${systemFile}"`,
  );
}

/** The section `[service]` by libpq's rules; null when the file has none. */
function parseServiceFile(
  text: string,
  wanted: { readonly service: string; readonly path: string },
): Conninfo | null {
  let result: Map<string, string> | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, "");
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (result !== null) return result;
      if (line.startsWith(`[${wanted.service}]`)) result = new Map();
      continue;
    }
    if (result === null) continue;
    const where = `service file "${wanted.path}", line ${index + 1}`;
    const separator = line.indexOf("=");
    const keyword = line.slice(0, Math.max(separator, 0));
    if (keyword === "service" || keyword === "servicefile") {
      throw refuseParameter(`nested service specifications not supported in ${where}`);
    }
    const value = line.slice(separator + 1);
    const isNew = !result.has(keyword);
    if (separator < 0 || (isNew && !storeConninfoValue(result, keyword, value))) {
      throw refuseParameter(`syntax error in ${where}`);
    }
  }
  return result;
}
