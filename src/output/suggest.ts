import { closest, distance } from "fastest-levenshtein";

const LONGEST_WORD = 63;

/**
 * The candidate that was probably meant by a mistyped word; null when none is near. A third of its letters may be wrong,
 * in a short word as many as `leastEdits`.
 */
export function suggest(typed: string, candidates: readonly string[], leastEdits = 2): string | null {
  if (candidates.length === 0 || typed.length > LONGEST_WORD) return null;
  const word = typed.toLowerCase();
  const exchanged = candidates.find((candidate) => isNeighbourSwap(word, candidate));
  if (exchanged !== undefined) return exchanged;
  const candidate = closest(word, [...candidates]);
  const edits = distance(word, candidate);
  return edits <= Math.max(leastEdits, Math.floor(typed.length / 3)) && edits < typed.length - 1
    ? candidate
    : null;
}

/** The commonest slip of fingers, which counts as two edits otherwise: two neighbours exchanged. */
function isNeighbourSwap(typed: string, candidate: string): boolean {
  if (typed.length !== candidate.length || typed === candidate) return false;
  let at = 0;
  while (typed.charAt(at) === candidate.charAt(at)) at += 1;
  const exchanged = typed.slice(0, at) + typed.charAt(at + 1) + typed.charAt(at) + typed.slice(at + 2);
  return exchanged === candidate;
}
