import { loadPalette, type Palette } from "./palette.js";
import { isTerminal } from "./standard-streams.js";

/** How data on standard output may look. */
export interface Display {
  /** Whether what was written can be written over. */
  readonly isTerminal: boolean;
  /** Whether characters beyond ASCII can be shown. */
  readonly isUtf8: boolean;
  readonly palette: Palette;
}

/** Looks at standard output and the locale. */
export async function readDisplay(variables: Readonly<Record<string, string | undefined>>): Promise<Display> {
  const isOnTerminal = isTerminal("stdout");
  return {
    isTerminal: isOnTerminal,
    isUtf8: isUtf8Locale(variables),
    palette: await loadPalette(isOnTerminal, variables),
  };
}

/** The first of these variables that is set decides, as for every program. */
export function isUtf8Locale(variables: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [variables["LC_ALL"], variables["LC_CTYPE"], variables["LANG"]].find(
    (value) => value !== undefined && value !== "",
  );
  return /utf-?8/i.test(locale ?? "");
}
