import { closest, distance } from "fastest-levenshtein";

/** The candidate that was probably meant by a mistyped word; null when none is near. */
export function suggest(typed: string, candidates: readonly string[]): string | null {
  if (candidates.length === 0) return null;
  const candidate = closest(typed.toLowerCase(), [...candidates]);
  const edits = distance(typed.toLowerCase(), candidate);
  return edits <= Math.max(2, Math.floor(typed.length / 3)) && edits < typed.length - 1 ? candidate : null;
}
