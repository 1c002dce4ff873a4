/** Severities of log lines, most severe first, as repmgr names them. */
export const logLevels = ["EMERG", "ALERT", "CRIT", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Whether a message of `level` is shown when the threshold is `threshold`. */
export function isShown(level: LogLevel, threshold: LogLevel): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(threshold);
}

/** Reads a level name in any case; null if there is no such level. */
export function parseLogLevel(text: string): LogLevel | null {
  const upper = text.toUpperCase();
  return logLevels.find((level) => level === upper) ?? null;
}
