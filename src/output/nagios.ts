/** One line in the format of Nagios plugins, with its newline: service, status, text, performance data if any. */
export function renderPluginLine(line: {
  readonly service: string;
  readonly status: "OK" | "WARNING" | "CRITICAL" | "UNKNOWN";
  readonly text: string;
  readonly performance: string | null;
}): string {
  const { service, status, text, performance } = line;
  return `${service} ${status}: ${text}${performance === null ? "" : ` | ${performance}`}\n`;
}
