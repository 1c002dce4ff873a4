import type { SettingGroup } from "./setting-shape.js";

/** How much is logged, and where to. */
export const loggingSettings = {
  log_level: {
    type: "string",
    defaultNote: "INFO",
    reloadable: "yes",
    help: "least severe level that is logged: DEBUG, INFO, NOTICE, WARNING, ERROR, CRIT, ALERT or EMERG",
  },
  log_facility: {
    type: "string",
    defaultNote: "STDERR",
    reloadable: "yes",
    help: "STDERR, or a syslog facility: LOCAL0 to LOCAL7 or USER; a command uses it with --log-to-file only",
  },
  log_file: {
    type: "path",
    reloadable: "yes",
    help: "file to which log lines are appended instead of standard error; a command uses it with --log-to-file only",
  },
  log_status_interval: {
    type: "duration",
    unit: "s",
    default: 300,
    minimum: 0,
    off: [0],
    reloadable: "yes",
    help: "pause between the daemon's status lines in the log; 0 = none",
  },
} as const satisfies SettingGroup;
