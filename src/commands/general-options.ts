import type { OptionName } from "./option-table.js";

/** Options that mean the same with every command, by topic, with what general help says about them. */
export const generalOptions = {
  "General options": {
    help: "show this help, then exit",
    version: "show the version, then exit",
    "version-number": "show the version as a number, then exit",
  },
  "Configuration options": {
    "config-file": "path of repmgr.conf",
    pg_bindir: "directory of the PostgreSQL programs",
    "dump-config": "show every setting as name|value, then exit",
  },
  "Logging options": {
    "log-level": "DEBUG, INFO, NOTICE, WARNING, ERROR, ALERT, CRIT or EMERG (default: INFO)",
    "log-to-file": "log to log_file or log_facility as set in repmgr.conf",
    quiet: "log errors only",
    terse: "show no DETAIL, HINT or warning blocks",
    verbose: "show more, among it the reasons of failed connections",
  },
} as const satisfies Readonly<Record<string, Partial<Record<OptionName, string>>>>;
