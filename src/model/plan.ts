import type { Problem } from "./problem.js";

/** What a command decided before it touches anything: every reason against it, or the steps that `--dry-run` shows. */
export type Plan<Step, Extra = unknown, Reason extends Problem = Problem> =
  | { readonly kind: "refused"; readonly problems: readonly Reason[] }
  | ({
      readonly kind: "ready";
      readonly warnings: readonly Problem[];
      readonly steps: readonly Step[];
    } & Extra);
