import { loadPalette, type Palette, type Tone } from "./palette.js";
import { isTerminal, writeStderr } from "./standard-streams.js";

const tones: Readonly<Record<string, Tone>> = {
  EMERG: "bad",
  ALERT: "bad",
  CRIT: "bad",
  ERROR: "bad",
  WARNING: "doubtful",
};

/** Writes log text to standard error, with the words of grave lines coloured where the terminal shows colours. */
export async function createTerminalLogWriter(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<(text: string) => void> {
  const palette = await loadPalette(isTerminal("stderr"), variables);
  return (text) => writeStderr(colourLevelWord(text, palette));
}

function colourLevelWord(text: string, palette: Palette): string {
  return text.replace(/^([A-Z]+)(?=: )/, (word) => {
    const tone = tones[word];
    return tone === undefined ? word : palette[tone](word);
  });
}
