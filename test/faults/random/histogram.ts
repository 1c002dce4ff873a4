const BOUNDS_S = [1, 2, 3, 5, 10, 20, 60];

/** A line for each range of durations: how many there are, and a bar. */
export function renderHistogram(durationsMs: readonly number[]): string {
  const labels = [...BOUNDS_S.map((bound) => `< ${bound} s`), "more"];
  const counts = labels.map(() => 0);
  for (const duration of durationsMs) {
    const index = BOUNDS_S.findIndex((bound) => duration < bound * 1000);
    const place = index < 0 ? BOUNDS_S.length : index;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return labels
    .map((label, index) => {
      const count = counts[index] ?? 0;
      return `${label.padStart(7)}  ${String(count).padStart(4)}  ${"#".repeat(Math.min(count, 60))}`;
    })
    .join("\n");
}
