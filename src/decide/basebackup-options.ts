import { parse } from "shell-quote";
import type { Problem } from "../model/problem.js";
import type { TablespaceMapping } from "../model/tablespace-mapping.js";

export type WalMethod = "stream" | "fetch" | "none";

/** What `pg_basebackup_options` asks for, as far as a clone has to know it. */
export interface BaseBackupOptions {
  /** The words that pg_basebackup receives. */
  readonly args: readonly string[];
  /** Null when the options name no method and ours is used. */
  readonly walMethod: WalMethod | null;
  readonly slot: string | null;
  readonly noSlot: boolean;
  readonly walDirectory: string | null;
  readonly noManifest: boolean;
  readonly noSync: boolean;
  readonly checkpoint: boolean;
  readonly tablespaceMappings: readonly TablespaceMapping[];
}

export type ParsedBaseBackupOptions =
  | { readonly kind: "understood"; readonly options: BaseBackupOptions }
  | { readonly kind: "refused"; readonly problem: Problem };

const SHORT_OPTIONS_WITH_VALUE: Readonly<Record<string, string>> = {
  c: "checkpoint",
  d: "dbname",
  D: "pgdata",
  F: "format",
  h: "host",
  i: "incremental",
  l: "label",
  p: "port",
  r: "max-rate",
  s: "status-interval",
  S: "slot",
  t: "target",
  T: "tablespace-mapping",
  U: "username",
  X: "wal-method",
  Z: "compress",
};

const SHORT_FLAGS: Readonly<Record<string, string>> = {
  C: "create-slot",
  n: "no-clean",
  N: "no-sync",
  P: "progress",
  R: "write-recovery-conf",
  v: "verbose",
  w: "no-password",
  W: "password",
  z: "gzip",
};

const LONG_OPTIONS_WITH_VALUE = [
  ...Object.values(SHORT_OPTIONS_WITH_VALUE),
  "waldir",
  "manifest-checksums",
  "sync-method",
];
const LONG_FLAGS = [
  ...Object.values(SHORT_FLAGS),
  "no-slot",
  "no-manifest",
  "manifest-force-encode",
  "no-estimate-size",
  "no-verify-checksums",
];

/** Options that would make something else than a data directory at the place that the clone prepared. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  pgdata: 'the destination is "data_directory" of repmgr.conf, or -D/--pgdata',
  target: "a standby needs a data directory on this host",
  incremental: "an incremental backup is not a data directory",
  password: "a password cannot be asked for; use a password file or PGPASSWORD",
};

interface Option {
  readonly name: string;
  readonly value: string;
}

/** Reads `pg_basebackup_options` the way a shell and pg_basebackup would; `variables` serve `$NAME` in it. */
export function parseBaseBackupOptions(
  text: string,
  variables: Readonly<Record<string, string | undefined>> = {},
): ParsedBaseBackupOptions {
  const words: string[] = [];
  for (const entry of parse(text, { ...variables })) {
    if (typeof entry !== "string") {
      const operator = "comment" in entry ? "#" : "pattern" in entry ? entry.pattern : entry.op;
      return refuse(`"${operator}" is for a shell, but the options are given to pg_basebackup directly`);
    }
    words.push(entry);
  }
  const options = readOptions(words);
  if (typeof options === "string") return refuse(options);
  const reason = findContradiction(options);
  if (reason !== null) return refuse(reason);
  const last = (name: string): string | null =>
    options.findLast((option) => option.name === name)?.value ?? null;
  const has = (name: string): boolean => options.some((option) => option.name === name);
  const walMethod = last("wal-method");
  return {
    kind: "understood",
    options: {
      args: words,
      walMethod: walMethod === null ? null : readWalMethod(walMethod),
      slot: last("slot"),
      noSlot: has("no-slot"),
      walDirectory: last("waldir"),
      noManifest: has("no-manifest"),
      noSync: has("no-sync"),
      checkpoint: has("checkpoint"),
      tablespaceMappings: options
        .filter(({ name }) => name === "tablespace-mapping")
        .map(({ value }) => readMapping(value)),
    },
  };
}

function refuse(detail: string): ParsedBaseBackupOptions {
  const hint = 'correct "pg_basebackup_options" in repmgr.conf';
  return {
    kind: "refused",
    problem: { message: 'parameter "pg_basebackup_options" cannot be used', detail, hint },
  };
}

function findContradiction(options: readonly Option[]): string | null {
  for (const { name, value } of options) {
    const reason = FORBIDDEN[name];
    if (reason !== undefined) return `--${name} is not possible here: ${reason}`;
    if (name === "format" && !"plain".startsWith(value)) {
      return `--format=${value} is not possible here: a standby needs a plain data directory`;
    }
    if (name === "waldir" && !value.startsWith("/"))
      return `--waldir must be an absolute path, not "${value}"`;
    if (name === "wal-method" && readWalMethod(value) === null) return `--wal-method=${value} does not exist`;
    if (name === "tablespace-mapping" && readMapping(value).newDirectory === "") {
      return `--tablespace-mapping=${value} is not of the form OLDDIR=NEWDIR`;
    }
  }
  const names = new Set(options.map(({ name }) => name));
  if (names.has("slot") && names.has("no-slot")) return "--no-slot cannot be used together with -S/--slot";
  return null;
}

function readWalMethod(value: string): WalMethod | null {
  return (
    (["stream", "fetch", "none"] as const).find((method) => value === method || value === method[0]) ?? null
  );
}

function readMapping(value: string): TablespaceMapping {
  const [oldDirectory = "", newDirectory = ""] = value
    .split(/(?<!\\)=/)
    .map((part) => part.replaceAll("\\=", "="));
  return { oldDirectory, newDirectory };
}

/** getopt_long's rules: grouped short flags, values in the same or the next word, unique prefixes of long names. */
function readOptions(words: readonly string[]): readonly Option[] | string {
  const options: Option[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const taken = word.startsWith("--") ? readLong(word.slice(2)) : readShort(word);
    if (typeof taken === "string") return taken;
    for (const option of taken) {
      if (option.value !== null) {
        options.push({ name: option.name, value: option.value });
        continue;
      }
      const value = queue.shift();
      if (value === undefined) return `"${word}" needs a value`;
      options.push({ name: option.name, value });
    }
  }
  return options;
}

/** A value of null stands in the next word. */
type Taken = readonly { readonly name: string; readonly value: string | null }[] | string;

function readLong(text: string): Taken {
  const separator = text.indexOf("=");
  const typed = separator < 0 ? text : text.slice(0, separator);
  const value = separator < 0 ? null : text.slice(separator + 1);
  const name = completeName(typed);
  // An option of a later PostgreSQL is left to pg_basebackup; only its value could not be told from an option.
  if (name === null) return [{ name: typed, value: value ?? "" }];
  return [{ name, value: value ?? (LONG_OPTIONS_WITH_VALUE.includes(name) ? null : "") }];
}

function completeName(typed: string): string | null {
  const names = [...LONG_OPTIONS_WITH_VALUE, ...LONG_FLAGS];
  if (names.includes(typed)) return typed;
  const matching = names.filter((name) => name.startsWith(typed));
  return matching.length === 1 ? (matching[0] ?? null) : null;
}

function readShort(word: string): Taken {
  if (!/^-[A-Za-z]/.test(word)) return `"${word}" is not an option of pg_basebackup`;
  const taken: { name: string; value: string | null }[] = [];
  for (let rest = word.slice(1); rest !== ""; rest = rest.slice(1)) {
    const letter = rest.slice(0, 1);
    const withValue = SHORT_OPTIONS_WITH_VALUE[letter];
    if (withValue !== undefined) {
      taken.push({ name: withValue, value: rest.length > 1 ? rest.slice(1) : null });
      break;
    }
    taken.push({ name: SHORT_FLAGS[letter] ?? letter, value: "" });
  }
  return taken;
}
