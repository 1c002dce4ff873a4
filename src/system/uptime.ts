import { readFileSync } from "node:fs";

/**
 * Milliseconds since the boot of this host, on a clock that a shell can read as well and that nobody can set; null where
 * the system has no /proc/uptime.
 */
export function readUptimeMs(): number | null {
  try {
    const seconds = Number.parseFloat(readFileSync("/proc/uptime", "latin1"));
    return Number.isFinite(seconds) ? seconds * 1000 : null;
  } catch {
    return null;
  }
}
