import type { Command } from "./define-command.js";

/** Every command, loaded only when it is the one that runs or is explained. */
const commands: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  primary: {
    register: async () => (await import("./primary/register/command.js")).primaryRegister,
  },
  standby: {
    clone: async () => (await import("./standby/clone/command.js")).standbyClone,
    register: async () => (await import("./standby/register/command.js")).standbyRegister,
  },
  cluster: {
    show: async () => (await import("./cluster/show.js")).clusterShow,
    event: async () => (await import("./cluster/event.js")).clusterEvent,
  },
};

const nounAliases: Readonly<Record<string, string>> = { master: "primary" };
const verbAliases: Readonly<Record<string, string>> = { "cluster events": "event" };

export const nouns: readonly string[] = Object.keys(commands);

/** The noun that a word stands for, in any case and under any alias; null when there is none. */
export function resolveNoun(word: string): string | null {
  const lower = word.toLowerCase();
  const noun = nounAliases[lower] ?? lower;
  return Object.hasOwn(commands, noun) ? noun : null;
}

export function verbsOf(noun: string): readonly string[] {
  return Object.keys(commands[noun] ?? {});
}

/** How to load the command of a noun and a verb as typed; null when there is none. */
export function findCommand(noun: string, word: string): (() => Promise<Command>) | null {
  const lower = word.toLowerCase();
  const verb = verbAliases[`${noun} ${lower}`] ?? lower;
  return commands[noun]?.[verb] ?? null;
}

/** All commands of a noun, for help. */
export function loadCommands(noun: string): Promise<readonly Command[]> {
  return Promise.all(Object.values(commands[noun] ?? {}).map((load) => load()));
}
