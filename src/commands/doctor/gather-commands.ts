import type { CommandFacts, ServerFacts } from "../../decide/doctor/facts.js";
import type { CommandContext } from "../define-command.js";
import { examineCommand } from "../examine-command.js";

const SETTINGS = [
  ...(["promote_command", "follow_command", "rejoin_command", "fence_command"] as const),
  ...(["service_start_command", "service_stop_command", "service_restart_command"] as const),
  ...(["service_reload_command", "service_promote_command"] as const),
  ...(["repmgrd_service_start_command", "repmgrd_service_stop_command"] as const),
  ...(["event_notification_command", "failover_validation_command"] as const),
  ...(["child_nodes_disconnect_command", "restore_command"] as const),
] as const;

/** Every command that is configured here, by this program or by the local server; none of them is run. */
export async function gatherCommands(
  context: CommandContext,
  server: ServerFacts | null,
): Promise<readonly CommandFacts[]> {
  const { settings } = context;
  const archives = server?.settings.get("archive_mode") !== "off";
  const all = [
    ...SETTINGS.map((setting) => [setting, settings[setting]] as const),
    ["archive_command", archives ? (server?.settings.get("archive_command") ?? "") : ""] as const,
  ];
  const set = all.filter(([, commandLine]) => commandLine.trim() !== "");
  return Promise.all(set.map(([setting, commandLine]) => examineCommand(context, setting, commandLine)));
}
