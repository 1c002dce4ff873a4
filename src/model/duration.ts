const unitMs = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Units of time in the spelling of PostgreSQL's own settings. */
export type DurationUnit = keyof typeof unitMs;

export const durationUnits = Object.keys(unitMs) as readonly DurationUnit[];

/** Reads `200ms`, `5s`, `2min`, `1h`, `1d` or a bare number of `bareUnit`; null for anything else. In milliseconds. */
export function parseDuration(text: string, bareUnit: DurationUnit): number | null {
  const match = /^\+?(\d{1,15}) *(ms|s|min|h|d)?$/.exec(text.trim());
  if (match === null) return null;
  const unit = (match[2] ?? bareUnit) as DurationUnit;
  return Number(match[1]) * unitMs[unit];
}

/** Writes milliseconds in the largest unit that holds them exactly, `90s`, `2min`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const unit = durationUnits.findLast((candidate) => ms % unitMs[candidate] === 0) ?? "ms";
  return `${ms / unitMs[unit]}${unit}`;
}

/** Writes milliseconds as a bare number of `unit` where that is exact, with its own unit otherwise. */
export function formatDurationIn(ms: number, unit: DurationUnit): string {
  return ms % unitMs[unit] === 0 ? String(ms / unitMs[unit]) : formatDuration(ms);
}
