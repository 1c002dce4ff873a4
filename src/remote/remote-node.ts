import { quote } from "shell-quote";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { isConninfo, maskConninfo, parseConninfo } from "../model/conninfo.js";
import { describeNode, type NodeRecord } from "../model/node-record.js";
import { MissingProgramError } from "./missing-program.js";
import { parseProgramVersion, type ProgramVersion } from "./program-version.js";
import type { RemoteHosts } from "./remote-hosts.js";
import type { RemoteShell } from "./remote-shell.js";
import type { RemoteResult, RemoteRunOptions } from "./transport.js";

/** A node of the cluster, and our program on its host. */
export interface RemoteNode {
  readonly node: RemoteNodeRecord;
  readonly shell: RemoteShell;
  /**
   * Runs our program there with that node's configuration file. Every ending of the program is a value; throws UserError
   * when there is no such program, SshError when the connection breaks.
   */
  run(args: readonly string[], options?: RemoteProgramOptions): Promise<RemoteResult>;
  /** As `run`; anything but exit code 0 is a UserError with what the program said. */
  runOrFail(args: readonly string[], options?: RemoteRunOptions): Promise<RemoteResult>;
  /** Throws UserError when the program there is none of ours. */
  readVersion(options?: RemoteRunOptions): Promise<ProgramVersion>;
  hasFile(path: string, options?: RemoteRunOptions): Promise<boolean>;
}

interface RemoteProgramOptions extends RemoteRunOptions {
  /** Becomes `PGPASSWORD` there; it travels as standard input, which no process list shows. Excludes `input`. */
  readonly password?: string;
  /** Environment variables for it; on the command line there, so nothing secret. */
  readonly variables?: Readonly<Record<string, string>>;
}

type RemoteNodeRecord = Pick<NodeRecord, "nodeId" | "nodeName" | "conninfo" | "configFile">;

export interface RemoteProgram {
  /** The name that our own program was called by. */
  readonly programName: string;
  /** Settings of this node, as in the reference; empty when not set. */
  readonly repmgrBindir: string;
  readonly pgBindir: string;
  /** `-L`, when it was given on our own command line. */
  readonly logLevel?: string | undefined;
}

/** Opens a connection to the node's host, or takes the one that is open. Throws SshError, UserError. */
export async function connectRemoteNode(
  hosts: RemoteHosts,
  node: RemoteNodeRecord,
  program: RemoteProgram,
): Promise<RemoteNode> {
  const shell = await hosts.connect(findSshHost(node));
  const run: RemoteNode["run"] = async (args, { password, variables = {}, ...options } = {}) => {
    const level = program.logLevel === undefined ? [] : ["-L", program.logLevel];
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quote([value])}; `);
    const script = exports.join("") + buildProgramScript(program, ["-f", node.configFile, ...level, ...args]);
    const result =
      password === undefined
        ? await shell.run(script, options)
        : await shell.run(`IFS= read -r PGPASSWORD; export PGPASSWORD; ${script}`, {
            ...options,
            input: `${password}\n`,
          });
    return result.timedOut ? result : takeProgramPath(result, { node, program, shell });
  };
  return {
    node,
    shell,
    run,
    runOrFail: async (args, options) => {
      const result = await run(args, options);
      if (result.exitCode !== 0) throw failRemoteProgram(node, args, result);
      return result;
    },
    readVersion: async (options) => {
      const result = await run(["--version"], options);
      const version = parseProgramVersion(result.stdout);
      if (result.exitCode === 0 && version !== null) return version;
      throw failRemoteProgram(node, ["--version"], result);
    },
    hasFile: async (path, options) => (await shell.run(`test -f ${quote([path])}`, options)).exitCode === 0,
  };
}

/** The host to reach a node by SSH: that of its conninfo, as in the reference. Throws UserError when there is none. */
export function findSshHost(node: Pick<NodeRecord, "nodeId" | "nodeName" | "conninfo">): string {
  const conninfo = parseConninfo(node.conninfo);
  const [host = ""] = (conninfo.get("host") || conninfo.get("hostaddr") || "").split(",");
  if (host !== "" && !host.startsWith("/") && !host.startsWith("@")) return host;
  throw new UserError(exitCodes.badSsh, {
    message: `node ${describeNode(node)} has no host to reach by SSH`,
    detail: 'the "conninfo" of its record names none, or the directory of a socket',
    hint: 'set "host" in "conninfo" of its repmgr.conf, and register the node again with --force',
  });
}

/**
 * Looks for the program at each place and becomes it; the first line of its output is then the path, or empty. PATH is
 * searched by the shell itself: each process takes its time on hosts with many nodes.
 */
export function buildProgramScript(program: RemoteProgram, args: readonly string[]): string {
  const places = listDirectories(program).map(({ path }) => quote([path]));
  const tryProgram =
    'if test -f "$program" && test -x "$program"; then ' +
    `echo "$program"; exec "$program" ${quote(args)}; fi`;
  const loops = [
    ...(places.length === 0 ? [] : [`for program in ${places.join(" ")}; do ${tryProgram}; done`]),
    `IFS=:; set -f; for directory in $PATH; do program=\${directory:-.}/${quote([program.programName])}; ${tryProgram}; done`,
  ];
  return `${loops.join("; ")}; echo; echo "$PATH"; exit 127`;
}

function listDirectories({ programName, repmgrBindir, pgBindir }: RemoteProgram) {
  return [
    { setting: "repmgr_bindir", directory: repmgrBindir },
    { setting: "pg_bindir", directory: pgBindir },
  ]
    .filter(({ directory }) => directory !== "")
    .map(({ setting, directory }) => ({
      setting,
      path: `${directory.replace(/\/+$/, "")}/${programName}`,
    }));
}

interface Called {
  readonly node: RemoteNodeRecord;
  readonly program: RemoteProgram;
  readonly shell: RemoteShell;
}

function takeProgramPath(result: RemoteResult, { node, program, shell }: Called): RemoteResult {
  const end = result.stdout.indexOf("\n");
  const rest = result.stdout.slice(end + 1);
  if (end > 0) return { ...result, stdout: rest };
  const places = [
    ...listDirectories(program).map(({ setting, path }) => `${path} (${setting})`),
    `${rest.trim()} (PATH)`,
  ];
  const unset = ["repmgr_bindir", "pg_bindir"].filter(
    (name) => !places.some((place) => place.endsWith(`(${name})`)),
  );
  throw new MissingProgramError({
    message: `"${program.programName}" was not found on node ${describeNode(node)}`,
    detail:
      `looked on host "${shell.peer.host}" in: ${places.join(", ")}` +
      (unset.length === 0 ? "" : `; not set: ${unset.join(", ")}`),
    hint: `install it there, or set "repmgr_bindir" in repmgr.conf of this node to its directory there`,
  });
}

function failRemoteProgram(
  node: RemoteNodeRecord,
  args: readonly string[],
  { exitCode, signal, stdout, stderr, timedOut }: RemoteResult,
): UserError {
  const ending = timedOut
    ? "it did not end in time"
    : exitCode === null
      ? `it was ended by signal ${signal ?? "unknown"}`
      : `exit code ${exitCode}`;
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("\n");
  return new UserError(exitCodes.badConfiguration, {
    message: `"${args.map(maskArgument).join(" ")}" failed on node ${describeNode(node)}`,
    detail: said === "" ? ending : `${ending}: ${said}`,
    hint: `run it there by hand with -f ${node.configFile}`,
  });
}

const maskArgument = (argument: string): string =>
  isConninfo(argument) && !argument.startsWith("-") ? maskConninfo(argument) : argument;
