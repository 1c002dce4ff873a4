import { dirname, join } from "node:path";
import type { DiskFacts, HostFacts, NodeFacts, ServerFacts } from "../../decide/doctor/facts.js";
import { parseConninfo, type Conninfo } from "../../model/conninfo.js";
import { findPassword } from "../../postgres/credentials.js";
import { readDataDirectoryState } from "../../postgres/data-directory.js";
import { resolveConninfo } from "../../postgres/environment-defaults.js";
import { DEFAULT_PORT } from "../../postgres/server-addresses.js";
import { inspectPath, isWritableDirectory, isWritableFile, readDiskSpace } from "../../system/directories.js";
import type { CommandContext } from "../define-command.js";
import { gatherCommands } from "./gather-commands.js";
import { readConninfo } from "./ask-node.js";

/** What this host has: directories, programs, commands, passwords. Reads only. */
export async function gatherHost(
  context: CommandContext,
  server: ServerFacts | null,
  others: readonly NodeFacts[],
): Promise<HostFacts> {
  const { settings, environment } = context;
  const directory = settings.data_directory;
  const [dataDirectory, facts, programs, commands, disks, logFile, passwords] = await Promise.all([
    readDataDirectoryState(directory),
    inspectPath(directory),
    gatherPrograms(context),
    gatherCommands(context, server),
    gatherDisks(directory),
    gatherLogFile(settings.log_file),
    gatherPasswords(context, others),
  ]);
  const isDown = dataDirectory.kind === "directory" && dataDirectory.serverPid === null;
  return {
    osUser: environment.osUser,
    dataDirectory,
    dataDirectoryMode: facts.kind === "directory" ? facts.mode : null,
    programs,
    commands,
    logFile,
    disks,
    configurationTest: isDown && dataDirectory.isDataDirectory ? await testConfiguration(context) : null,
    ...passwords,
  };
}

const NEEDED_PROGRAMS = ["pg_ctl", "pg_controldata", "pg_basebackup", "pg_rewind"];

const programOf = ({ settings }: CommandContext, name: string): string =>
  settings.pg_bindir === "" ? name : join(settings.pg_bindir, name);

async function gatherPrograms(context: CommandContext): Promise<HostFacts["programs"]> {
  const { processes } = context;
  const found = await Promise.all(
    NEEDED_PROGRAMS.map((name) => processes.run(programOf(context, name), ["--version"])),
  );
  const version = /\(PostgreSQL\) (\d+)/.exec(found[0]?.stdout ?? "")?.[1];
  return {
    missing: NEEDED_PROGRAMS.filter((_, index) => found[index]?.exitCode !== 0),
    major: version === undefined ? null : Number(version),
  };
}

/** Lets the server read its configuration without starting; null when it has no objection. */
async function testConfiguration(context: CommandContext): Promise<string | null> {
  const { processes, settings } = context;
  const directory = settings.config_directory || settings.data_directory;
  const words = ["-D", directory, "-C", "listen_addresses"];
  const result = await processes.run(programOf(context, "postgres"), words, { env: { LC_ALL: "C" } });
  // Where the program itself is missing, the row about the programs says so.
  if (result.startFailure !== null || result.exitCode === 0) return null;
  const reasons = [...result.stderr.matchAll(/\b(?:LOG|FATAL):\s+(.*)$/gm)].map(([, words = ""]) => words);
  return reasons[0] ?? (result.stderr.trim() || null);
}

/** Of one file system only the first path is told. */
async function gatherDisks(dataDirectory: string): Promise<readonly DiskFacts[]> {
  const paths = [dataDirectory, join(dataDirectory, "pg_wal")];
  const disks: DiskFacts[] = [];
  for (const path of paths) {
    const space = await readDiskSpace(path);
    if (space !== null && !disks.some(({ totalBytes }) => totalBytes === space.totalBytes))
      disks.push({ path, ...space });
  }
  return disks;
}

async function gatherLogFile(path: string): Promise<HostFacts["logFile"]> {
  if (path === "") return null;
  return { path, isWritable: (await isWritableFile(path)) ?? (await isWritableDirectory(dirname(path))) };
}

async function gatherPasswords(
  { settings, environment }: CommandContext,
  others: readonly NodeFacts[],
): Promise<Pick<HostFacts, "passfile" | "passfileWarning" | "environmentOnly">> {
  const own = await resolveConninfo(parseConninfo(settings.conninfo), environment).catch(
    (): Conninfo => new Map(),
  );
  const passfile = settings.passfile || (own.get("passfile") ?? "");
  const isInEnvironment = (environment.variables["PGPASSWORD"] ?? "") !== "";
  const environmentOnly: string[] = [];
  const { warning } = await findPassword(passfile, { host: "", port: "", database: "", user: "" });
  for (const node of isInEnvironment ? others : []) {
    const conninfo = readConninfo(node.record?.conninfo ?? "");
    if (typeof conninfo === "string" || node.replication === null) continue;
    const key = {
      host: conninfo.get("host") || conninfo.get("hostaddr") || "localhost",
      port: conninfo.get("port") || DEFAULT_PORT,
      database: "replication",
      user: node.record?.replicationUser || (conninfo.get("user") ?? ""),
    };
    const { password } = await findPassword(passfile, key);
    if (password === null && (conninfo.get("password") ?? "") === "")
      environmentOnly.push(`"${node.nodeName}"`);
  }
  return { passfile, passfileWarning: warning, environmentOnly };
}
