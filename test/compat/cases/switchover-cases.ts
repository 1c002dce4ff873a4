import type { ChangingCase } from "./changing-cases.js";
import { handingOver, staying } from "./role-case.js";

const switchover = "repmgr -f {conf} standby switchover";

/** On hosts that let each other in. */
export const switchoverCases: readonly ChangingCase[] = [
  staying("n1", switchover),
  staying("w4", switchover),
  staying("n5", switchover),
  staying("n2", `${switchover} --dry-run`),
  staying("n2", `${switchover} --siblings-follow --dry-run`),
  handingOver("n2", switchover),
  handingOver("n2", `${switchover} --force-rewind`),
  handingOver("n2", `${switchover} --siblings-follow`),
];

/** n3 is below n2, n2 below n1. */
export const cascadeSwitchoverCases: readonly ChangingCase[] = [
  handingOver("n2", `${switchover} --siblings-follow`),
];

/** When the primary is told to stop, it shakes the candidate off, writes once more and only then stops. */
export const missedWalCases: readonly ChangingCase[] = [
  handingOver("n2", `${switchover} --siblings-follow --always-promote --force-rewind -S postgres`),
];

/** The primary cannot be stopped. */
export const unstoppableCases: readonly ChangingCase[] = [staying("n2", switchover)];

/** The primary is down, and the hosts let each other in. */
export const siblingsCases: readonly ChangingCase[] = [
  staying("n2", "repmgr -f {conf} standby promote --siblings-follow --dry-run"),
  handingOver("n2", "repmgr -f {conf} standby promote --siblings-follow"),
];
