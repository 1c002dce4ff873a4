import { closest, distance } from "fastest-levenshtein";
import { settingNames } from "./settings-table.js";

const LONGEST_NAME = 63;

/** The setting that was probably meant by an unknown name; null when none is near. */
export function suggestSetting(typed: string): string | null {
  if (typed.length > LONGEST_NAME) return null;
  const lower = typed.toLowerCase();
  const candidate = closest(lower, [...settingNames]);
  return distance(lower, candidate) <= Math.max(1, Math.floor(typed.length / 3)) ? candidate : null;
}
