/** Other ways to write a noun. */
const nounAliases: Readonly<Record<string, string>> = { master: "primary" };

/**
 * Other ways to write noun and verb, with the names that the commands have here. An alias whose command does not
 * exist is simply unknown.
 */
const commandAliases: Readonly<Record<string, string>> = {
  "cluster events": "cluster event",
  "primary check": "node check",
  "primary status": "node status",
  "standby check": "node check",
  "standby status": "node status",
  "daemon status": "service status",
  "daemon pause": "service pause",
  "daemon unpause": "service unpause",
};

/** The declared noun of a word in any case. */
export function canonicalNoun(word: string): string {
  const lower = word.toLowerCase();
  return nounAliases[lower] ?? lower;
}

/** The declared name of a command, `noun verb`, from two words in any case. */
export function canonicalName(noun: string, verb: string): string {
  const name = `${canonicalNoun(noun)} ${verb.toLowerCase()}`;
  return commandAliases[name] ?? name;
}

/** The names of commands that can be reached from this noun under another verb or noun. */
export function aliasTargets(noun: string): readonly string[] {
  return Object.entries(commandAliases)
    .filter(([alias]) => alias.startsWith(`${noun} `))
    .map(([, name]) => name);
}

/** Every way to write a command, its declared name first. */
export function spellingsOf(name: string): readonly string[] {
  const names = [name, ...Object.keys(commandAliases).filter((alias) => commandAliases[alias] === name)];
  const [noun = ""] = name.split(" ");
  const renamed = Object.keys(nounAliases).filter((alias) => nounAliases[alias] === noun);
  return [...names, ...renamed.map((alias) => name.replace(noun, alias))];
}
