/** What a line of a `repmgr.conf` says, by the grammar of PostgreSQL's configuration files. */
export type ConfLine =
  | { readonly kind: "blank" }
  | { readonly kind: "setting"; readonly name: string; readonly value: string }
  /** `near` is the token that does not fit; null at the end of the line. */
  | { readonly kind: "syntax-error"; readonly near: string | null };

type TokenKind = "name" | "qualified-name" | "quoted" | "unquoted" | "integer" | "real" | "equals" | "other";

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

/** Tried in this order at each place; the longest match wins, the earlier one of equally long ones. */
const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ["name", /[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*/y],
  [
    "qualified-name",
    /[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*\.[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*/y,
  ],
  ["unquoted", /[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff._:/-]*/y],
  ["integer", /[-+]?(?:0x[0-9a-fA-F]+|[0-9]+)[A-Za-z]*/y],
  ["real", /[-+]?[0-9]*\.[0-9]*(?:[Ee][-+]?[0-9]+)?/y],
  ["equals", /=/y],
];

/** A name with a dot is not a value: `node_name=a.b` is an error, `a.b.c` and `a-1.b` are not. */
const valueKinds: readonly TokenKind[] = ["name", "quoted", "unquoted", "integer", "real"];

export function readConfLine(line: string): ConfLine {
  const tokens = tokenize(line);
  const name = tokens.next().value;
  if (name === undefined) return { kind: "blank" };
  if (name.kind !== "name" && name.kind !== "qualified-name")
    return { kind: "syntax-error", near: name.text };
  let value = tokens.next().value;
  if (value?.kind === "equals") value = tokens.next().value;
  if (value === undefined || !valueKinds.includes(value.kind)) {
    return { kind: "syntax-error", near: value?.text ?? null };
  }
  const surplus = tokens.next().value;
  if (surplus !== undefined) return { kind: "syntax-error", near: surplus.text };
  return {
    kind: "setting",
    name: name.text,
    value: value.kind === "quoted" ? unquote(value.text) : value.text,
  };
}

function* tokenize(line: string): Generator<Token, undefined> {
  let position = 0;
  for (;;) {
    while (" \t\r".includes(line[position] ?? "#")) position += 1;
    if (position >= line.length || line[position] === "#") return undefined;
    const token = tokenAt(line, position);
    yield token;
    position += token.text.length;
  }
}

function tokenAt(line: string, position: number): Token {
  if (line[position] === "'") {
    const end = endOfQuoted(line, position);
    return end === null ? { kind: "other", text: "'" } : { kind: "quoted", text: line.slice(position, end) };
  }
  let longest: Token = { kind: "other", text: String.fromCodePoint(line.codePointAt(position) ?? 0) };
  let length = 0;
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position;
    const text = pattern.exec(line)?.[0] ?? "";
    if (text.length > length) {
      longest = { kind, text };
      length = text.length;
    }
  }
  return longest;
}

/** The place after the closing quote; null if there is none. Written as a loop: a pattern would recurse on long values. */
function endOfQuoted(line: string, start: number): number | null {
  for (let position = start + 1; position < line.length; position += 1) {
    if (line[position] === "\\") position += 1;
    else if (line[position] === "'") {
      if (line[position + 1] !== "'") return position + 1;
      position += 1;
    }
  }
  return null;
}

const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/''|\\([0-7]{1,3}|[^])/g, (_match, escaped: string | undefined) =>
      escaped === undefined ? "'" : unescape(escaped),
    );
}

function unescape(escaped: string): string {
  if (/^[0-7]/.test(escaped)) return String.fromCharCode(parseInt(escaped, 8) & 0xff);
  return escapes[escaped] ?? escaped;
}

/** Writes a value so that it is read back as it is, in single quotes. */
export function quoteConfValue(value: string): string {
  const inside = value.replace(/[\\\b\f\n\r\t]/g, (character) => {
    const letter = Object.keys(escapes).find((key) => escapes[key] === character);
    return `\\${letter ?? character}`;
  });
  return `'${inside.replaceAll("'", "''")}'`;
}

/** Writes a value bare where people do so: whole numbers, durations and plain words. */
export function formatConfValue(value: string): string {
  return /^(?:-?[0-9]+(?:ms|s|min|h|d)?|[A-Za-z_][A-Za-z_0-9-]*)$/.test(value)
    ? value
    : quoteConfValue(value);
}
