/** Something wrong in a configuration file, at the place where it stands. */
export interface ConfigurationProblem {
  readonly file: string;
  /** Null when it concerns the file as a whole, such as a setting that is missing. */
  readonly line: number | null;
  readonly message: string;
  /** The line as it should be written. */
  readonly correction?: string;
}

const LONGEST_MESSAGE = 1000;

/** One line without newline, `/etc/repmgr.conf:3: …; write: node_id=3`. */
export function describeConfigurationProblem({
  file,
  line,
  message,
  correction,
}: ConfigurationProblem): string {
  const place = line === null ? file : `${file}:${line}`;
  const shown = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  return `${place}: ${shown}${correction === undefined ? "" : `; write: ${correction}`}`;
}
