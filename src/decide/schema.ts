import { OLDEST_SERVER_VERSION } from "../model/server-version.js";
import type { Problem } from "../model/problem.js";
import type { SchemaState } from "../model/schema-state.js";

export type SchemaVerdict =
  | { readonly kind: "use"; readonly owner: "us" | "extension" }
  | { readonly kind: "create" }
  | { readonly kind: "upgrade"; readonly fromVersion: number }
  | { readonly kind: "refuse"; readonly problem: Problem };

/** Null when the server can be managed. `version` as the server numbers itself, 150018 for 15.18. */
export function judgeServerVersion(version: number): Problem | null {
  if (version >= OLDEST_SERVER_VERSION) return null;
  return {
    message: "PostgreSQL 13 or newer is needed",
    detail: `the server is version ${Math.floor(version / 10000)}`,
    hint: "use the reference program for this server, or upgrade it with pg_upgrade first",
  };
}

/**
 * What a registration does with the metadata it finds. The reference's extension is used as it is when its tables
 * fit; a schema of ours is brought to `programVersion`.
 */
export function judgeSchema(state: SchemaState, programVersion: number): SchemaVerdict {
  if (!state.exists) return { kind: "create" };
  if (state.extensionVersion !== null) return judgeExtension(state, state.extensionVersion);
  if (state.ourVersion === null) {
    return refuse({
      message: 'schema "repmgr" exists but holds no repmgr metadata',
      detail: `missing: ${state.missingColumns.join(", ") || "the version in table settings"}`,
      hint: 'rename or drop that schema ("DROP SCHEMA repmgr CASCADE" removes all that is in it)',
    });
  }
  if (state.ourVersion > programVersion) {
    return refuse({
      message: 'schema "repmgr" was made by a newer release of this program',
      detail: `the schema has version ${state.ourVersion}, this program knows version ${programVersion}`,
      hint: "install the same release on every node",
    });
  }
  if (state.ourVersion < programVersion) return { kind: "upgrade", fromVersion: state.ourVersion };
  return { kind: "use", owner: "us" };
}

function judgeExtension(state: SchemaState, extensionVersion: string): SchemaVerdict {
  if (state.missingColumns.length === 0) return { kind: "use", owner: "extension" };
  return refuse({
    message: `extension "repmgr" ${extensionVersion} is too old`,
    detail: `missing: ${state.missingColumns.join(", ")}`,
    hint: 'execute "ALTER EXTENSION repmgr UPDATE" on the primary',
  });
}

const refuse = (problem: Problem): SchemaVerdict => ({ kind: "refuse", problem });
