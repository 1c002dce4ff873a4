import { aliasTargets, canonicalName, canonicalNoun, spellingsOf } from "./aliases.js";
import type { CatalogueEntry, Command } from "./define-command.js";

type LoadCommand = () => Promise<Command>;

/** In the place of the verb: the noun is the whole command. */
const ONE_WORD = "";

/** Every command, loaded only when it is the one that runs or is explained. */
const commands: Readonly<Record<string, Readonly<Record<string, LoadCommand>>>> = {
  primary: {
    register: async () => (await import("./primary/register/command.js")).primaryRegister,
    unregister: async () => (await import("./primary/unregister.js")).primaryUnregister,
  },
  standby: {
    clone: async () => (await import("./standby/clone/command.js")).standbyClone,
    follow: async () => (await import("./standby/follow/command.js")).standbyFollow,
    promote: async () => (await import("./standby/promote/command.js")).standbyPromote,
    register: async () => (await import("./standby/register/command.js")).standbyRegister,
    switchover: async () => (await import("./standby/switchover/command.js")).standbySwitchover,
    unregister: async () => (await import("./standby/unregister.js")).standbyUnregister,
  },
  witness: {
    register: async () => (await import("./witness/register/command.js")).witnessRegister,
    unregister: async () => (await import("./witness/unregister.js")).witnessUnregister,
  },
  node: {
    rejoin: async () => (await import("./node/rejoin/command.js")).nodeRejoin,
    check: async () => (await import("./node/check/command.js")).nodeCheck,
    control: async () => (await import("./node/control/command.js")).nodeControl,
    guard: async () => (await import("./node/guard/command.js")).nodeGuard,
    service: async () => (await import("./node/service.js")).nodeService,
    status: async () => (await import("./node/status/command.js")).nodeStatus,
  },
  cluster: {
    show: async () => (await import("./cluster/show.js")).clusterShow,
    event: async () => (await import("./cluster/event.js")).clusterEvent,
    matrix: async () => (await import("./cluster/matrix.js")).clusterMatrix,
    crosscheck: async () => (await import("./cluster/crosscheck.js")).clusterCrosscheck,
    cleanup: async () => (await import("./cluster/cleanup.js")).clusterCleanup,
  },
  doctor: {
    [ONE_WORD]: async () => (await import("./doctor/command.js")).doctor,
  },
  service: {
    status: async () => (await import("./service/status.js")).serviceStatus,
    pause: async () => (await import("./service/pause.js")).servicePause,
    unpause: async () => (await import("./service/pause.js")).serviceUnpause,
  },
  daemon: {
    start: async () => (await import("./daemon/start.js")).daemonStart,
    stop: async () => (await import("./daemon/stop.js")).daemonStop,
  },
  completion: {
    bash: async () => (await import("./completion/shells.js")).completionBash,
    zsh: async () => (await import("./completion/shells.js")).completionZsh,
    fish: async () => (await import("./completion/shells.js")).completionFish,
  },
};

export const nouns: readonly string[] = Object.keys(commands);

/** The noun that a word stands for, in any case and under any alias; null when there is none. */
export function resolveNoun(word: string): string | null {
  const noun = canonicalNoun(word);
  const isKnown = Object.hasOwn(commands, noun) || aliasTargets(noun).some((name) => loaderOf(name) !== null);
  return isKnown ? noun : null;
}

/** Empty for a command of one word. */
export function verbsOf(noun: string): readonly string[] {
  return Object.keys(commands[noun] ?? {}).filter((verb) => verb !== ONE_WORD);
}

/** How to load a command that needs no verb; null when the noun is none. */
export function findOneWordCommand(noun: string): LoadCommand | null {
  return loaderOf(noun);
}

/** How to load the command of a noun and a verb as typed; null when there is none. */
export function findCommand(noun: string, verb: string): LoadCommand | null {
  return loaderOf(canonicalName(noun, verb));
}

/** All commands of a noun, for help. */
export function loadCommands(noun: string): Promise<readonly Command[]> {
  return Promise.all(Object.values(commands[noun] ?? {}).map((load) => load()));
}

/** All commands with their spellings, for what describes them. */
export async function loadCatalogue(): Promise<readonly CatalogueEntry[]> {
  const all = await Promise.all(nouns.map(loadCommands));
  return all.flat().map((command) => ({ command, spellings: spellingsOf(command.name) }));
}

function loaderOf(name: string): LoadCommand | null {
  const [noun = "", verb = ONE_WORD] = name.split(" ");
  const verbs = Object.hasOwn(commands, noun) ? commands[noun] : undefined;
  return verbs !== undefined && Object.hasOwn(verbs, verb) ? (verbs[verb] ?? null) : null;
}
