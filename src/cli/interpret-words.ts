import type { Command } from "../commands/define-command.js";
import { findCommand, findOneWordCommand, nouns, resolveNoun, verbsOf } from "../commands/index.js";
import { suggest } from "../output/suggest.js";

export interface Interpretation {
  /** The noun as declared; null when the first word is none. */
  readonly noun: string | null;
  /** The noun as typed. */
  readonly typedNoun: string | null;
  readonly load: (() => Promise<Command>) | null;
  /** Words after noun and verb. */
  readonly rest: readonly string[];
  readonly errors: readonly string[];
}

/** Finds the command that the words name; shapes of the errors are the reference's, with a suggestion added. */
export function interpretWords(words: readonly string[], programName: string): Interpretation {
  const [first, second, ...rest] = words;
  const failure = (noun: string | null, error: string): Interpretation => ({
    noun,
    typedNoun: noun === null ? null : (first ?? null),
    load: null,
    rest,
    errors: [error],
  });
  if (first === undefined) return failure(null, `no ${programName} command provided`);
  const noun = resolveNoun(first);
  if (noun === null) {
    const typed = second === undefined ? `command '${first}'` : `action '${first} ${second}'`;
    const near = suggest(first, nouns);
    return failure(
      null,
      `unknown ${programName} ${typed}${didYouMean(near, near && correctVerb(near, second))}`,
    );
  }
  const oneWord = findOneWordCommand(noun);
  if (oneWord !== null) return { noun, typedNoun: first, load: oneWord, rest: words.slice(1), errors: [] };
  if (second === undefined) return failure(noun, `no action provided for command '${first}'`);
  const load = findCommand(noun, second);
  if (load !== null) return { noun, typedNoun: first, load, rest, errors: [] };
  const verb = correctVerb(noun, second);
  return failure(
    noun,
    `unknown ${programName} action '${first} ${second}'${verb === null ? "" : didYouMean(noun, verb)}`,
  );
}

function correctVerb(noun: string, typed: string | undefined): string | null {
  return typed === undefined ? null : suggest(typed, verbsOf(noun));
}

function didYouMean(noun: string | null, verb: string | null): string {
  if (noun === null) return "";
  return `; did you mean '${verb === null ? noun : `${noun} ${verb}`}'?`;
}
