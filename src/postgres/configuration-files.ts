import type { Database } from "./database.js";

interface FilesRow {
  readonly data_directory: string;
  readonly paths: string[];
}

/** Whether the user may see in which files the settings stand. */
export async function maySeeConfigurationFiles(database: Database): Promise<boolean> {
  const [row] = await database.query<{ may: boolean }>(
    "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS may",
  );
  return row?.may === true;
}

/**
 * The configuration files of the server that lie outside its data directory: what its settings were read from, with
 * pg_hba.conf and pg_ident.conf, and for a superuser also included files that decide nothing at the moment.
 */
export async function listExternalConfigurationFiles(database: Database): Promise<readonly string[]> {
  const [role] = await database.query<{ is_superuser: boolean }>(
    "SELECT rolsuper AS is_superuser FROM pg_catalog.pg_roles WHERE rolname = current_user",
  );
  const sources = [
    "SELECT sourcefile FROM pg_catalog.pg_settings",
    "SELECT setting FROM pg_catalog.pg_settings WHERE name IN ('config_file', 'hba_file', 'ident_file')",
    ...(role?.is_superuser === true ? listFilesForSuperuser(database.serverVersion) : []),
  ];
  const [row] = await database.query<FilesRow>(
    `SELECT pg_catalog.current_setting('data_directory') AS data_directory,
            ARRAY(SELECT DISTINCT path FROM (${sources.join(" UNION ")}) AS files (path)
                   WHERE path LIKE '/%' ORDER BY path) AS paths`,
  );
  if (row === undefined) return [];
  const inside = `${row.data_directory.replace(/\/+$/, "")}/`;
  return row.paths.filter((path) => !path.startsWith(inside));
}

const listFilesForSuperuser = (serverVersion: number): readonly string[] => [
  "SELECT sourcefile FROM pg_catalog.pg_file_settings",
  ...(serverVersion < 160_000
    ? []
    : [
        "SELECT file_name FROM pg_catalog.pg_hba_file_rules",
        "SELECT file_name FROM pg_catalog.pg_ident_file_mappings",
      ]),
];
