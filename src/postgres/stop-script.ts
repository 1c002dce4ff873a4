import { quoteForShell } from "./service-control.js";

/** What is to be stopped, and what is to be known of it afterwards. */
export interface StopOrder {
  readonly dataDirectory: string;
  /** Name of the file in the data directory for the note. */
  readonly noteFile: string;
  /** What the note begins with; timeline and term follow. */
  readonly note: Readonly<Record<string, string | number>>;
}

/**
 * What a dead-man session or process does in a shell, as the server's own user: it leaves the note, makes the server
 * come up as a standby of nobody, then sends SIGQUIT, and SIGKILL to what is left after two seconds. `@timeline@` and
 * `@term@` are to be replaced. PostgreSQL signals the process group of a session's program with the session.
 */
export function renderStopScript({ dataDirectory, noteFile, note }: StopOrder): string {
  const fields = Object.entries(note).map(([key, value]) => `"${key}":${JSON.stringify(value)}`);
  const text = `{${[...fields, '"timeline":@timeline@', '"term":@term@'].join(",")}}`;
  return [
    "trap '' QUIT PIPE",
    `cd ${quoteForShell(dataDirectory)} || exit 1`,
    "read -r p <postmaster.pid",
    `printf '%s\\n' ${quoteForShell(text)} >${noteFile}.tmp && mv -f ${noteFile}.tmp ${noteFile}`,
    ": >>standby.signal",
    `printf "\\nprimary_conninfo = ''\\n" >>postgresql.auto.conf`,
    "echo 'tsrepmgr: no majority of the nodes was heard for primary_isolation_timeout, stopping this server' >&2",
    // A disk that does not answer must not hold up the end of the server.
    `(sync ${noteFile} standby.signal postgresql.auto.conf . 2>/dev/null) &`,
    "kill -QUIT $p",
    "(i=0; while kill -0 $p && [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; " +
      "kill -0 $p && kill -KILL $p $(cat /proc/$p/task/$p/children)) 2>/dev/null &",
  ].join("\n");
}
