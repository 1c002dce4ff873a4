import type { DaemonSignals } from "../system/signals.js";

/** Which signal ends the daemon, named as repmgrd's log and events name it. */
export const describeStop = (signals: Pick<DaemonSignals, "stoppedBy">): string =>
  `${(signals.stoppedBy() ?? "stop").replace(/^SIG/, "")} signal received`;
