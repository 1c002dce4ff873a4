import { SingleBar } from "cli-progress";
import type { Reporter } from "./reporter.js";
import { isShown } from "./log-level.js";

const LINE_INTERVAL_MS = 10_000;
const RATE_WINDOW_MS = 10_000;

/** How far a long copy is. All sizes in kB, as PostgreSQL's programs count. */
export interface Progress {
  update(doneKb: number, totalKb: number): void;
  /** Called now and then while nothing moves, as during the source's checkpoint, which may take minutes. */
  wait(): void;
  stop(): void;
}

export interface ProgressSurroundings {
  readonly reporter: Reporter;
  /** Milliseconds that never go backwards. */
  readonly now: () => number;
}

/** A bar with rate and remaining time on a terminal, a log line every ten seconds elsewhere, nothing with `-q`. */
export function createProgress(
  title: string,
  { reporter, now }: ProgressSurroundings,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!isShown("INFO", reporter.threshold))
    return { update: () => undefined, wait: () => undefined, stop: () => undefined };
  const rate = createRateMeter(now);
  return stream.isTTY ? createBar(title, rate, stream) : createLines(title, rate, { reporter, now });
}

/** Rate in kB per second over the last seconds: the average of the whole copy hides that it has stalled. */
function createRateMeter(now: () => number): (doneKb: number) => number {
  const samples: { readonly at: number; readonly doneKb: number }[] = [];
  return (doneKb) => {
    const at = now();
    // Nothing has come yet: the time that the source takes for its checkpoint says nothing about the copy.
    if (doneKb === 0) samples.length = 0;
    samples.push({ at, doneKb });
    while (samples.length > 2 && at - (samples[0]?.at ?? at) > RATE_WINDOW_MS) samples.shift();
    const first = samples[0] ?? { at, doneKb };
    return at > first.at ? ((doneKb - first.doneKb) * 1000) / (at - first.at) : 0;
  };
}

function createBar(title: string, rate: (doneKb: number) => number, stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({
    format: `${title} [{bar}] {percentage}% | {amount} | {rate} | ETA {remaining}`,
    barCompleteChar: "#",
    barIncompleteChar: "-",
    hideCursor: true,
    stopOnComplete: false,
    linewrap: null,
    stream,
  });
  let isStarted = false;
  return {
    update: (doneKb, totalKb) => {
      const payload = describeProgress(doneKb, totalKb, rate(doneKb));
      // The total is an estimate of the server and may turn out too small.
      const total = Math.max(totalKb, doneKb, 1);
      if (!isStarted) bar.start(total, doneKb, payload);
      isStarted = true;
      bar.setTotal(total);
      bar.update(doneKb, payload);
    },
    wait: () => undefined,
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}

function createLines(
  title: string,
  rate: (doneKb: number) => number,
  { reporter, now }: ProgressSurroundings,
): Progress {
  let next = now() + LINE_INTERVAL_MS;
  let hasBegun = false;
  return {
    wait: () => {
      if (now() < next) return;
      next = now() + LINE_INTERVAL_MS;
      reporter.info(
        `${title}: ${hasBegun ? "no data for a while" : "waiting for the checkpoint of the source"}`,
      );
    },
    update: (doneKb, totalKb) => {
      hasBegun ||= doneKb > 0;
      const currentRate = rate(doneKb);
      if (now() < next) return;
      next = now() + LINE_INTERVAL_MS;
      const { amount, rate: rateText, remaining } = describeProgress(doneKb, totalKb, currentRate);
      const percentage = totalKb > 0 ? ` (${Math.min(100, Math.floor((doneKb / totalKb) * 100))}%)` : "";
      reporter.info(`${title}: ${amount}${percentage}, ${rateText}, ETA ${remaining}`);
    },
    stop: () => undefined,
  };
}

function describeProgress(
  doneKb: number,
  totalKb: number,
  kbPerSecond: number,
): { readonly amount: string; readonly rate: string; readonly remaining: string } {
  const isKnown = totalKb >= doneKb && kbPerSecond > 0;
  return {
    amount: totalKb > 0 ? `${toMegabytes(doneKb)} of ${toMegabytes(totalKb)}` : toMegabytes(doneKb),
    rate: `${toMegabytes(kbPerSecond)}/s`,
    remaining: isKnown ? formatSeconds((totalKb - doneKb) / kbPerSecond) : "unknown",
  };
}

const toMegabytes = (kb: number): string => `${(kb / 1024).toFixed(kb < 10_240 ? 1 : 0)} MB`;

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const parts = hours > 0 ? [hours, minutes, whole % 60] : [minutes, whole % 60];
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}
