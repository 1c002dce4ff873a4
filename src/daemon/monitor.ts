import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { describeNode } from "../model/node-record.js";
import { ownRecord, type Runtime } from "./runtime.js";

/** Watches until a signal ends it. */
export async function monitor(runtime: Runtime): Promise<ExitCode> {
  const { context, events } = runtime;
  const { reporter, clock, interrupted, signals } = context;
  const record = ownRecord(runtime);
  events.raise({
    event: "repmgrd_start",
    successful: true,
    details: record === null ? null : `monitoring of node ${describeNode(record)} started`,
  });
  while (!interrupted.aborted) await clock.sleep(1000, interrupted).catch(() => undefined);
  reporter.notice(`${signals.stoppedBy() ?? "stop"} received`);
  events.raise({
    event: "repmgrd_shutdown",
    successful: true,
    details: `${signals.stoppedBy() ?? ""} received`,
  });
  return exitCodes.success;
}
