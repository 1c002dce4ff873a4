import { parse } from "shell-quote";
import type { CommandFacts, ServerFacts } from "../../decide/doctor/facts.js";
import type { CommandContext } from "../define-command.js";

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

async function examineCommand(
  context: CommandContext,
  setting: string,
  commandLine: string,
): Promise<CommandFacts> {
  const words = firstWords(commandLine);
  const isSudo = words[0] !== undefined && /(?:^|\/)sudo$/.test(words[0]);
  const command = isSudo ? withoutSudoOptions(words.slice(1)) : words;
  const program = command[0] ?? null;
  return {
    setting,
    commandLine,
    program,
    isFound: program !== null && (await isExecutable(context, program)),
    sudo: isSudo && program !== null ? await askSudo(context, words[0] ?? "sudo", command) : null,
  };
}

/** The words of the first simple command, without assignments before it. */
function firstWords(commandLine: string): readonly string[] {
  const words: string[] = [];
  for (const token of parse(commandLine, (name) => `$${name}`)) {
    if (typeof token !== "string") break;
    if (words.length > 0 || !/^\w+=/.test(token)) words.push(token);
  }
  return words;
}

const SUDO_OPTIONS_WITH_VALUE = /^(?:-[ughpCrtTUD]|--(?:user|group|host|prompt|chdir))$/;

function withoutSudoOptions(words: readonly string[]): readonly string[] {
  const [first, , ...others] = words;
  if (first === undefined || !first.startsWith("-")) return words;
  if (first === "--") return words.slice(1);
  return withoutSudoOptions(SUDO_OPTIONS_WITH_VALUE.test(first) ? others : words.slice(1));
}

/** As the shell looks for it: a path, a program in PATH, or a word that it knows itself. */
async function isExecutable({ processes }: CommandContext, program: string): Promise<boolean> {
  const result = await processes.run("/bin/sh", ["-c", 'command -v "$1"', "sh", program]);
  return result.exitCode === 0;
}

const SUDO_TIMEOUT_MS = 2000;

/** `-l` only asks: nothing is run. */
async function askSudo(
  { processes }: CommandContext,
  sudo: string,
  command: readonly string[],
): Promise<CommandFacts["sudo"]> {
  const result = await processes.run(sudo, ["-n", "-l", ...command], {
    timeoutMs: SUDO_TIMEOUT_MS,
    env: { LC_ALL: "C" },
  });
  if (result.exitCode === 0) return { isAllowed: true, reason: "" };
  if (result.startFailure !== null) return { isAllowed: false, reason: `${sudo} is not there` };
  const said = result.stderr.trim();
  return { isAllowed: false, reason: said === "" ? `not allowed: ${command.join(" ")}` : said };
}
