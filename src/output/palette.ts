/** Marks texts by how good the news is. */
export interface Palette {
  good(text: string): string;
  doubtful(text: string): string;
  bad(text: string): string;
}

export type Tone = keyof Palette;

type Variables = Readonly<Record<string, string | undefined>>;

const asItIs = (text: string): string => text;

/** The palette of a stream without colours: every text stays as it is, byte for byte. */
export const plainPalette: Palette = { good: asItIs, doubtful: asItIs, bad: asItIs };

/** Whether to colour: NO_COLOR forbids, FORCE_COLOR demands, otherwise only on a terminal that knows colours. */
export function isColourWanted(isTerminal: boolean, variables: Variables): boolean {
  const { NO_COLOR = "", FORCE_COLOR = "", TERM } = variables;
  if (NO_COLOR !== "") return false;
  if (FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}

/** The colours of a stream; their library is loaded only where they are wanted. */
export async function loadPalette(isTerminal: boolean, variables: Variables): Promise<Palette> {
  if (!isColourWanted(isTerminal, variables)) return plainPalette;
  const { default: picocolors } = await import("picocolors");
  const { green, yellow, red } = picocolors.createColors(true);
  return { good: green, doubtful: yellow, bad: red };
}
