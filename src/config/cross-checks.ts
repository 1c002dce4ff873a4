import { formatDuration } from "../model/duration.js";
import { parsePoolerAddress } from "../model/pooler.js";
import { parseLogLevel } from "../output/log-level.js";
import type { SettingName, Settings } from "./settings-table.js";

/** What is wrong with settings together, or with one that repmgr merely warns about. */
export interface CrossProblem {
  readonly severity: "error" | "warning";
  /** The settings that it is about; the message is shown at the last of them in the file. */
  readonly about: readonly SettingName[];
  readonly message: string;
}

export function checkTogether(settings: Settings): readonly CrossProblem[] {
  return [
    ...checkNodeName(settings),
    ...checkPaths(settings),
    ...checkPairs(settings),
    ...checkBarman(settings),
    ...checkPgbouncer(settings),
    ...checkVotes(settings),
    ...checkLease(settings),
    ...checkLogging(settings),
    ...checkEffect(settings),
  ];
}

const error = (about: readonly SettingName[], message: string): CrossProblem => ({
  severity: "error",
  about,
  message,
});
const warning = (about: readonly SettingName[], message: string): CrossProblem => ({
  severity: "warning",
  about,
  message,
});

/** PostgreSQL replaces such characters in application_name, so that the standby is never found under its name. */
function checkNodeName({ node_name }: Settings): readonly CrossProblem[] {
  if (/^[\x20-\x7e]*$/.test(node_name)) return [];
  return [
    warning(
      ["node_name"],
      `"node_name" should consist of printable ASCII characters: PostgreSQL replaces all others in "application_name", so that this node is never seen as attached`,
    ),
  ];
}

/** Every program of the node must find the same directory, wherever it is started. */
function checkPaths(settings: Settings): readonly CrossProblem[] {
  const { data_directory: path } = settings;
  if (path === "" || path.startsWith("/")) return [];
  return [
    error(
      ["data_directory"],
      `"data_directory" must be an absolute path, not "${path}": write it from the root on, "/…/${path}"`,
    ),
  ];
}

function checkPairs(settings: Settings): readonly CrossProblem[] {
  const problems: CrossProblem[] = [];
  for (const check of ["archive_ready", "replication_lag"] as const) {
    const [low, high] = [`${check}_warning`, `${check}_critical`] as const;
    if (settings[high] <= settings[low]) {
      problems.push(error([low, high], `"${high}" must be greater than "${low}"`));
    }
  }
  if (settings.standby_reconnect_timeout < settings.node_rejoin_timeout) {
    problems.push(
      error(
        ["standby_reconnect_timeout", "node_rejoin_timeout"],
        '"standby_reconnect_timeout" must be equal to or greater than "node_rejoin_timeout"',
      ),
    );
  }
  return problems;
}

function checkBarman({ barman_host, barman_server }: Settings): readonly CrossProblem[] {
  if ((barman_host === "") === (barman_server === "")) return [];
  const about = ["barman_host", "barman_server"] as const;
  return [
    error(about, 'use "barman_host" for the hostname of the Barman server'),
    error(about, 'use "barman_server" for the name of the [server] section in the Barman configuration file'),
  ];
}

/** Any of the three alone does nothing, and nobody would notice before the failover. */
function checkPgbouncer(settings: Settings): readonly CrossProblem[] {
  const names = ["pgbouncer_hosts", "pgbouncer_databases", "pgbouncer_database_file"] as const;
  const missing = names.filter((name) => settings[name].length === 0);
  const unreadable = settings.pgbouncer_hosts.filter((host) => parsePoolerAddress(host, 1) === null);
  if (unreadable.length > 0) {
    const list = unreadable.map((host) => `"${host}"`).join(", ");
    return [error(["pgbouncer_hosts"], `${list} in "pgbouncer_hosts" is neither HOST nor HOST:PORT`)];
  }
  if (missing.length === 0 || missing.length === names.length) return [];
  return missing.map((name) =>
    error(
      names,
      `"${name}" is needed as well where one of "pgbouncer_hosts", "pgbouncer_databases" and "pgbouncer_database_file" is set`,
    ),
  );
}

/** A vote must outlive the candidate that it was given to, with a tenth for clocks that run differently. */
function checkVotes({ vote_timeout, vote_hold }: Settings): readonly CrossProblem[] {
  const leastMs = Math.ceil((vote_timeout * 11) / 10) + 1000;
  if (vote_hold >= leastMs) return [];
  const least = formatDuration(leastMs);
  return [
    error(["vote_timeout", "vote_hold"], `"vote_hold" must be ${least} or greater with this "vote_timeout"`),
  ];
}

/** Four renewals of a quarter of a second, and a second for one that is late. */
const SHORTEST_LEASE_MS = 2000;

function checkLease({ primary_isolation_timeout: timeout }: Settings): readonly CrossProblem[] {
  if (timeout === null || timeout >= SHORTEST_LEASE_MS) return [];
  const least = formatDuration(SHORTEST_LEASE_MS);
  return [
    error(
      ["primary_isolation_timeout"],
      `"primary_isolation_timeout" must be ${least} or greater, or 0: a shorter one would stop a healthy primary`,
    ),
  ];
}

function checkLogging({ log_level, log_facility }: Settings): readonly CrossProblem[] {
  const problems: CrossProblem[] = [];
  if (log_level !== "" && parseLogLevel(log_level) === null) {
    problems.push(
      warning(
        ["log_level"],
        `invalid log level "${log_level}" (available values: DEBUG, INFO, NOTICE, WARNING, ERROR, CRIT, ALERT or EMERG)`,
      ),
    );
  }
  if (!/^(?:STDERR|LOCAL[0-7]|USER|)$/.test(log_facility)) {
    problems.push(
      warning(
        ["log_facility"],
        `invalid log facility "${log_facility}" (available values: STDERR, LOCAL0 to LOCAL7 or USER)`,
      ),
    );
  }
  return problems;
}

/** repmgr knows them; whoever sets one should not believe that it does something here. */
function checkEffect(settings: Settings): readonly CrossProblem[] {
  const problems: CrossProblem[] = [];
  const tell = (name: SettingName, isSet: boolean, reason: string): void => {
    if (isSet) problems.push(warning([name], `"${name}" has no effect: ${reason}`));
  };
  tell(
    "rsync_options",
    settings.rsync_options !== "",
    "external configuration files are read over SSH, not by rsync",
  );
  tell(
    "promote_delay",
    settings.promote_delay > 0,
    "votes would run out during a delay before the promotion",
  );
  tell("failover_delay", settings.failover_delay > 0, "elections begin as soon as the primary is given up");
  tell("reconnect_loop_sync", settings.reconnect_loop_sync, "nodes wait for each other by votes");
  return problems;
}
