import type { DaemonState, Observation } from "../../../src/decide/watch-types.js";

/** For the trace of a history; empty when nothing changed. */
export function describeTransition(
  before: DaemonState,
  after: DaemonState,
  observation: Observation,
): string {
  const votes = after.memory.vote === before.memory.vote ? "" : ` votes ${JSON.stringify(after.memory.vote)}`;
  const excluded =
    after.memory.exclusion === before.memory.exclusion
      ? ""
      : ` excludes ${JSON.stringify(after.memory.exclusion)}`;
  const reason = "reason" in after.watch.state ? ` (${JSON.stringify(after.watch.state.reason)})` : "";
  const change =
    before.watch.state.kind === after.watch.state.kind && before.watch.role === after.watch.role
      ? ""
      : ` ${before.watch.role} ${before.watch.state.kind} -> ${after.watch.role} ${after.watch.state.kind}${reason}`;
  const told = `${change}${votes}${excluded}`;
  return told === "" ? "" : `${observation.kind}:${told}`;
}
