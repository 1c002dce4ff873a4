import type { Observation } from "./observe.js";

export interface AllowedDifference {
  /** What differs: names of observations. */
  readonly of: readonly string[];
  /** Names of the cases in which it may differ, or a pattern that they match. */
  readonly cases: readonly string[] | RegExp;
  /** Only with this reference, for example `5.3.3`. */
  readonly reference?: string;
  /** Only with the extension or without it. */
  readonly database?: "repmgr" | "nolibs";
  /** Observations that make it this difference. */
  readonly theirs?: Observation;
  readonly ours?: Observation;
  /** It shows only when one of the programs is fast enough, or too slow: a run without it is no reason to strike it out. */
  readonly dependsOnTiming?: true;
  readonly reason: string;
}
