/** Calls `react` once for each session that breaks; give it the signal of the session as often as you like. */
export function createLossNotice(react: () => void): (lost: AbortSignal | null) => void {
  let watched: AbortSignal | null = null;
  return (lost) => {
    if (lost === null || lost === watched) return;
    watched = lost;
    lost.addEventListener("abort", react, { once: true });
  };
}
