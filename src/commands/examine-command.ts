import { parse } from "shell-quote";
import type { CommandFacts } from "../decide/doctor/facts.js";
import type { CommandContext } from "./define-command.js";

/** Looks whether the program of a configured command is there and sudo lets this user run it; nothing is run. */
export async function examineCommand(
  context: Pick<CommandContext, "processes">,
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
async function isExecutable(
  { processes }: Pick<CommandContext, "processes">,
  program: string,
): Promise<boolean> {
  const result = await processes.run("/bin/sh", ["-c", 'command -v "$1"', "sh", program]);
  return result.exitCode === 0;
}

const SUDO_TIMEOUT_MS = 2000;

/** `-l` only asks: nothing is run. */
async function askSudo(
  { processes }: Pick<CommandContext, "processes">,
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
