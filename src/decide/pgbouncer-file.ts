import { parse } from "ini";
import type { EntryChange, PoolerTarget, Redirection } from "../model/pooler.js";

/**
 * Lets the entries of `databases` point to `target`: "host" and "port" are replaced in their lines, entries that are
 * missing are added, everything else stays byte for byte. `ini` reads the file and proves that no other entry changed;
 * it cannot write it, since it drops comments, cuts values at ";" and quotes connection strings in a way that pgbouncer
 * refuses.
 */
export function redirectEntries(
  text: string,
  { databases, target }: { readonly databases: readonly string[]; readonly target: PoolerTarget },
): Redirection {
  const lines = text.split("\n");
  const found = findEntries(lines);
  if (typeof found === "string") return { kind: "refused", reason: found };
  const missing = databases.filter((name) => !(name in readEntries(text)));
  if (!found.hasSection && /\S/.test(text) && missing.length === databases.length)
    return { kind: "refused", reason: "it has no section [databases]" };
  const changes: EntryChange[] = missing.map((database) => ({ database, from: null }));
  for (const entry of found.entries.filter(({ name }) => databases.includes(name))) {
    const pointed = pointTo(entry.value, target);
    if (pointed === null)
      return { kind: "refused", reason: `line ${entry.index + 1} is no connection string of pgbouncer` };
    if (pointed.value === entry.value) continue;
    lines[entry.index] = `${entry.before}${pointed.value}${entry.after}`;
    changes.push({ database: entry.name, from: pointed.from });
  }
  if (changes.length === 0) return { kind: "unchanged" };
  const heading = found.hasSection || /\S/.test(text) ? [] : ["[databases]"];
  const added = missing.map((name) => `${quoteName(name)} = ${formatTarget(target)}`);
  lines.splice(found.end, 0, ...heading, ...added);
  return prove(text, lines.join("\n"), { databases, changes });
}

interface Entry {
  readonly index: number;
  readonly name: string;
  readonly before: string;
  readonly value: string;
  readonly after: string;
}

interface FoundEntries {
  readonly entries: readonly Entry[];
  readonly hasSection: boolean;
  /** The line where another entry can stand. */
  readonly end: number;
}

const SECTION = /^\s*\[([^\]]*)\](.*)$/;
const ENTRY = /^(\s*(?:"((?:[^"]|"")*)"|([\w.*-]+))[ \t]*=[ \t]*)(.*?)(\s*)$/;

/** By pgbouncer's own grammar; a file without sections is one that is included below [databases]. */
function findEntries(lines: readonly string[]): FoundEntries | string {
  const entries: Entry[] = [];
  const state = { isDatabases: true, hasSection: false, end: 0 };
  for (const [index, line] of lines.entries()) {
    const section = SECTION.exec(line);
    if (section !== null) {
      if (/\S/.test(section[2] ?? "")) return `something follows the section in line ${index + 1}`;
      state.isDatabases = section[1] === "databases";
      state.hasSection ||= state.isDatabases;
    }
    if (!state.isDatabases) continue;
    if (section !== null) state.end = index + 1;
    const [, before = "", quoted, plain = "", value = "", after = ""] = ENTRY.exec(line) ?? [];
    if (before === "") continue;
    entries.push({ index, name: quoted?.replaceAll('""', '"') ?? plain, before, value, after });
    state.end = index + 1;
  }
  return { entries, hasSection: state.hasSection, end: state.end };
}

const PAIR = /[ \t]*([^\s=]+)[ \t]*=[ \t]*('(?:[^']|'')*'|[^ ']\S*)(?=[ \t]|$)[ \t]*/y;

/** Null when the value is not made of `keyword=value` pairs. */
function pointTo(
  value: string,
  target: PoolerTarget,
): { readonly value: string; readonly from: string } | null {
  const pairs: { readonly key: string; readonly start: number; readonly text: string }[] = [];
  PAIR.lastIndex = 0;
  for (let position = 0; position < value.length; position = PAIR.lastIndex) {
    const match = PAIR.exec(value);
    const [whole, key = "", text = ""] = match ?? [];
    if (whole === undefined) return null;
    pairs.push({ key, text, start: position + whole.lastIndexOf(text) });
  }
  const wanted = { host: quoteValue(target.host), port: String(target.port) };
  const read = (key: string): string | undefined => pairs.find((pair) => pair.key === key)?.text;
  const from = `${read("host") ?? "(local socket)"}:${read("port") ?? "5432"}`;
  let result = value;
  for (const { key, start, text } of pairs.toReversed()) {
    if (key !== "host" && key !== "port") continue;
    result = result.slice(0, start) + wanted[key] + result.slice(start + text.length);
  }
  for (const key of ["host", "port"] as const) {
    const isDefault = key === "port" && target.port === 5432;
    if (read(key) === undefined && !isDefault) result = `${result} ${key}=${wanted[key]}`.trimStart();
  }
  return { value: result, from };
}

const formatTarget = ({ host, port }: PoolerTarget): string => `host=${quoteValue(host)} port=${port}`;

const quoteValue = (value: string): string =>
  /^[^\s'=;#]+$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;

const quoteName = (name: string): string =>
  /^[\w.*-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

type Entries = Readonly<Record<string, unknown>>;

function readEntries(text: string): Entries {
  const document = parse(text);
  const section: unknown = document["databases"];
  return typeof section === "object" && section !== null ? (section as Entries) : document;
}

/** Read again by another reader than the one that wrote: whatever is not asked for must be as it was. */
function prove(
  before: string,
  after: string,
  { databases, changes }: { readonly databases: readonly string[]; readonly changes: readonly EntryChange[] },
): Redirection {
  const others = (text: string): string => {
    const document = parse(text);
    const entries = Object.entries(readEntries(text)).filter(([name]) => !databases.includes(name));
    const sections = Object.entries(document).filter(
      ([name]) => name !== "databases" && !databases.includes(name),
    );
    return JSON.stringify([entries, sections]);
  };
  const isComplete = databases.every((name) => name in readEntries(after));
  return isComplete && others(before) === others(after)
    ? { kind: "changed", text: after, changes }
    : { kind: "refused", reason: "its entries cannot be told apart without doubt" };
}
