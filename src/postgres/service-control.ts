import type { Settings } from "../config/settings-table.js";
import type { ProcessResult, Processes } from "../system/processes.js";
import { runShellCommand } from "../system/shell-command.js";

/** What can be done to the local server, in the order in which the reference lists it. */
export const serverActions = ["start", "stop", "restart", "reload", "promote"] as const;

export type ServerAction = (typeof serverActions)[number];

type ServiceSettings = Pick<
  Settings,
  | "pg_bindir"
  | "pg_ctl_options"
  | "service_start_command"
  | "service_stop_command"
  | "service_restart_command"
  | "service_reload_command"
  | "service_promote_command"
>;

/** What `pg_ctl -D` is given: the directory of postgresql.conf, which names that of the data where they differ. */
export function controlDirectory(settings: Pick<Settings, "config_directory" | "data_directory">): string {
  return settings.config_directory === "" ? settings.data_directory : settings.config_directory;
}

/** The configured command of an action; empty when pg_ctl does it. */
export function configuredCommand(settings: ServiceSettings, action: ServerAction): string {
  return settings[`service_${action}_command`];
}

/**
 * The shell command of an action: the configured one as it is, otherwise pg_ctl on `directory`, in the reference's
 * form. `waits` decides whether a stop returns when the server is down or at once.
 */
export function buildServerCommand(
  settings: ServiceSettings,
  action: ServerAction,
  { directory, waits = false }: { readonly directory: string; readonly waits?: boolean },
): string {
  const configured = configuredCommand(settings, action);
  if (configured !== "") return configured;
  const program = settings.pg_bindir === "" ? "pg_ctl" : `${settings.pg_bindir.replace(/\/+$/, "")}/pg_ctl`;
  const target = `-D ${quoteForShell(directory)}`;
  const start = `${program} ${settings.pg_ctl_options}`;
  if (action === "stop") return `${start} ${target} ${waits ? "-w" : "-W"} -m fast stop`;
  return `${start} -w ${target} ${action}`;
}

/** Always quoted, as the reference shows it. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Runs the command of an action; a server that it starts lives on. Any ending is a value. */
export function runServerCommand(
  processes: Processes,
  command: string,
  signal?: AbortSignal,
): Promise<ProcessResult> {
  return runShellCommand(processes, command, signal === undefined ? {} : { signal });
}
