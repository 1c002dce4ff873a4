// It and such regular expressions take Node long to make, and names are mostly ASCII.
let segmenter: Intl.Segmenter | undefined;

/** Columns that a terminal needs for a text. For ASCII it is the length, newlines included, as repmgr counts. */
export function displayWidth(text: string): number {
  if (/^[\0-\x7f]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of (segmenter ??= new Intl.Segmenter()).segment(text))
    width += graphemeWidth(segment);
  return width;
}

/** Pads with blanks on the right up to a display width. */
export function padToWidth(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Blocks whose characters are East Asian Wide or Fullwidth (Unicode TR11), as first and last code point. */
const WIDE_BLOCKS = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
] as const;

function graphemeWidth(grapheme: string): number {
  if (/^[\p{Mark}\p{Format}\p{Default_Ignorable_Code_Point}]+$/u.test(grapheme)) return 0;
  if (/\p{Emoji_Presentation}|\p{Emoji}\uFE0F/u.test(grapheme)) return 2;
  const code = grapheme.codePointAt(0) ?? 0;
  return WIDE_BLOCKS.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
