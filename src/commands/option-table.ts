/**
 * Every option of the command line, once. As with getopt an option has one meaning everywhere; a command declares
 * which of them it honours. Names, short forms and value rules are those of repmgr 5.5 (the reference's option table).
 */
interface OptionShape {
  readonly short?: string;
  /**
   * `optional-…`: the value is taken only after `=` (`--wait-sync=5`), never from the next word.
   */
  readonly type: "boolean" | "string" | "integer" | "optional-string" | "optional-integer";
  /** What help shows for the value. */
  readonly argument?: string;
  readonly minimum?: number;
  readonly choices?: readonly string[];
  /** Older or shorter spellings. */
  readonly aliases?: readonly string[];
  /**
   * What happens when a command is given an option that it does not declare: a warning, silence, or, for a command
   * that changes something, an error because ignoring the option would change what is done.
   */
  readonly elsewhere: "warn" | "accept" | "error";
  /** Understood by every command; never checked against a declaration. */
  readonly global?: true;
  /** The longest value, in bytes. */
  readonly maximumLength?: number;
  /** What the value names, for completion. */
  readonly names?: "file" | "directory" | "host";
  /** Not one of repmgr's: it makes no abbreviation ambiguous that repmgr understands. */
  readonly added?: true;
  /** Understood, and ignored with this warning. */
  readonly deprecated?: string;
}

const table = {
  help: { short: "?", type: "boolean", elsewhere: "accept", global: true },
  version: { short: "V", type: "boolean", elsewhere: "accept", global: true },
  "version-number": { type: "boolean", elsewhere: "accept", global: true },
  "config-file": {
    short: "f",
    type: "string",
    argument: "PATH",
    names: "file",
    elsewhere: "accept",
    global: true,
  },
  pg_bindir: {
    short: "b",
    type: "string",
    argument: "PATH",
    names: "directory",
    elsewhere: "accept",
    global: true,
  },
  "dry-run": { type: "boolean", elsewhere: "error" },
  force: { short: "F", type: "boolean", elsewhere: "accept" },
  wait: { short: "w", type: "optional-integer", argument: "SECONDS", minimum: 0, elsewhere: "warn" },
  "no-wait": { short: "W", type: "boolean", elsewhere: "warn" },
  compact: { type: "boolean", elsewhere: "warn" },
  detail: { type: "boolean", elsewhere: "warn" },
  "dump-config": { type: "boolean", elsewhere: "accept", global: true },
  dbname: { short: "d", type: "string", argument: "DBNAME", elsewhere: "warn" },
  host: { short: "h", type: "string", argument: "HOSTNAME", names: "host", elsewhere: "warn" },
  port: { short: "p", type: "integer", argument: "PORT", minimum: 1, elsewhere: "warn" },
  username: { short: "U", type: "string", argument: "USERNAME", elsewhere: "warn" },
  "remote-user": { short: "R", type: "string", argument: "USERNAME", elsewhere: "accept" },
  superuser: { short: "S", type: "string", argument: "USERNAME", elsewhere: "warn" },
  pgdata: { short: "D", type: "string", argument: "DIR", names: "directory", elsewhere: "warn" },
  "node-id": { type: "integer", argument: "ID", minimum: 1, elsewhere: "error" },
  "node-name": { type: "string", argument: "NAME", maximumLength: 63, elsewhere: "error" },
  "remote-node-id": { type: "integer", argument: "ID", minimum: 1, elsewhere: "accept" },
  "log-level": { short: "L", type: "string", argument: "LEVEL", elsewhere: "accept", global: true },
  "log-to-file": { type: "boolean", elsewhere: "accept", global: true },
  quiet: { short: "q", type: "boolean", elsewhere: "accept", global: true },
  terse: { short: "t", type: "boolean", elsewhere: "accept", global: true },
  verbose: { short: "v", type: "boolean", elsewhere: "accept", global: true },
  csv: { type: "boolean", elsewhere: "accept" },
  nagios: { type: "boolean", elsewhere: "accept" },
  optformat: { type: "boolean", elsewhere: "accept" },
  format: {
    type: "string",
    argument: "FORMAT",
    choices: ["text", "csv", "json"],
    elsewhere: "warn",
    added: true,
  },
  tree: { type: "boolean", elsewhere: "warn", added: true },
  watch: { type: "optional-integer", argument: "SECONDS", minimum: 1, elsewhere: "warn", added: true },
  "copy-external-config-files": {
    type: "optional-string",
    argument: "{samepath|pgdata}",
    choices: ["samepath", "pgdata", "data_directory"],
    elsewhere: "accept",
  },
  "fast-checkpoint": { short: "c", type: "boolean", elsewhere: "accept" },
  "no-upstream-connection": { type: "boolean", elsewhere: "accept" },
  "replication-user": { type: "string", argument: "USERNAME", elsewhere: "warn" },
  "upstream-conninfo": { type: "string", argument: "CONNINFO", elsewhere: "accept" },
  "upstream-node-id": { type: "integer", argument: "ID", minimum: 1, elsewhere: "warn" },
  "without-barman": { type: "boolean", elsewhere: "accept" },
  "replication-conf-only": { type: "boolean", aliases: ["recovery-conf-only"], elsewhere: "error" },
  "verify-backup": { type: "boolean", elsewhere: "accept" },
  "recovery-min-apply-delay": { type: "string", argument: "DELAY", elsewhere: "accept" },
  "wait-start": { type: "integer", argument: "SECONDS", minimum: 0, elsewhere: "accept" },
  "wait-sync": { type: "optional-integer", argument: "SECONDS", minimum: 0, elsewhere: "accept" },
  "always-promote": { type: "boolean", elsewhere: "warn" },
  "siblings-follow": { type: "boolean", elsewhere: "warn" },
  "repmgrd-no-pause": { type: "boolean", elsewhere: "warn" },
  "repmgrd-force-unpause": { type: "boolean", elsewhere: "warn" },
  "force-rewind": { type: "optional-string", argument: "PATH", names: "file", elsewhere: "warn" },
  "is-shutdown-cleanly": { type: "boolean", elsewhere: "warn" },
  "archive-ready": { type: "boolean", elsewhere: "accept" },
  downstream: { type: "boolean", elsewhere: "accept" },
  upstream: { type: "boolean", elsewhere: "accept" },
  "replication-lag": { type: "boolean", elsewhere: "accept" },
  role: {
    type: "optional-string",
    argument: "ROLE",
    choices: ["primary", "standby", "witness"],
    elsewhere: "accept",
  },
  slots: { type: "boolean", elsewhere: "accept" },
  "missing-slots": { type: "boolean", elsewhere: "accept" },
  repmgrd: { type: "boolean", elsewhere: "accept" },
  "has-passfile": { type: "boolean", elsewhere: "accept" },
  "replication-connection": { type: "boolean", elsewhere: "accept" },
  "data-directory-config": { type: "boolean", elsewhere: "accept" },
  "replication-config-owner": { type: "boolean", elsewhere: "accept" },
  "db-connection": { type: "boolean", elsewhere: "accept" },
  "config-files": { type: "string", argument: "LIST", elsewhere: "warn" },
  "config-archive-dir": { type: "string", argument: "DIR", names: "directory", elsewhere: "accept" },
  action: { type: "string", argument: "NAME", elsewhere: "warn" },
  "list-actions": { type: "boolean", elsewhere: "accept" },
  checkpoint: { type: "boolean", elsewhere: "accept" },
  all: { type: "boolean", elsewhere: "warn" },
  event: { type: "string", argument: "NAME", elsewhere: "warn" },
  limit: { type: "integer", argument: "NUMBER", minimum: 1, elsewhere: "warn" },
  "keep-history": { short: "k", type: "integer", argument: "DAYS", minimum: 0, elsewhere: "accept" },
  strict: { type: "boolean", elsewhere: "error", added: true },
  "this-node": { type: "boolean", elsewhere: "error", added: true },
  "as-standby": { type: "boolean", elsewhere: "error", added: true },
  "disable-wal-receiver": { type: "boolean", elsewhere: "warn" },
  "enable-wal-receiver": { type: "boolean", elsewhere: "warn" },
  "check-upstream-config": {
    type: "boolean",
    elsewhere: "accept",
    global: true,
    deprecated: "--check-upstream-config is deprecated; use --dry-run instead",
  },
  "remote-config-file": {
    short: "C",
    type: "string",
    argument: "PATH",
    elsewhere: "accept",
    global: true,
    deprecated: "--remote-config-file is no longer required; the node records hold the path",
  },
} as const satisfies Readonly<Record<string, OptionShape>>;

export type OptionName = keyof typeof table;

export const optionTable: Readonly<Record<OptionName, OptionShape>> = table;

interface ValueOf {
  boolean: boolean;
  string: string | undefined;
  integer: number | undefined;
  /** `true` when the option was given without a value. */
  "optional-string": string | true | undefined;
  "optional-integer": number | true | undefined;
}

/** Every option with its value, as the command line gave it. */
export type AllOptionValues = {
  readonly [Name in OptionName]: ValueOf[(typeof table)[Name]["type"]];
};

/** What a command sees of the options that it declared. */
export type OptionValues<Names extends OptionName> = Pick<AllOptionValues, Names>;

/** `-f, --config-file=PATH`: an option as help shows it. */
export function spellOption(name: OptionName): string {
  const { short, argument, type } = optionTable[name];
  const form = type.startsWith("optional-") ? `[=${argument ?? "VALUE"}]` : `=${argument ?? "VALUE"}`;
  return `${short === undefined ? "" : `-${short}, `}--${name}${type === "boolean" ? "" : form}`;
}
