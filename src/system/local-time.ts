const twoDigits = (value: number): string => String(value).padStart(2, "0");

/**
 * `2026-01-31 12:00:00` in the machine's time zone, as log lines have it; `with-zone` appends `+0100`, as events
 * that no server dated have it.
 */
export function formatLocalTimestamp(epochMs: number, zone: "without-zone" | "with-zone"): string {
  const time = new Date(epochMs);
  const date = `${time.getFullYear()}-${twoDigits(time.getMonth() + 1)}-${twoDigits(time.getDate())}`;
  const clock = `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}:${twoDigits(time.getSeconds())}`;
  if (zone === "without-zone") return `${date} ${clock}`;
  const offset = -time.getTimezoneOffset();
  const hours = Math.floor(Math.abs(offset) / 60);
  return `${date} ${clock}${offset < 0 ? "-" : "+"}${twoDigits(hours)}${twoDigits(Math.abs(offset) % 60)}`;
}
