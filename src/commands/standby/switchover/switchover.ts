import type { SwitchoverRules } from "../../../decide/switchover-facts.js";
import type { SwitchoverProgress, SwitchoverStep } from "../../../decide/switchover.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { SwitchoverTrace } from "../../../model/switchover-trace.js";
import type { Database } from "../../../postgres/database.js";

/** A switchover that is carried out, whether from its beginning or from where an earlier run was cut off. */
export interface Switchover {
  readonly own: NodeRecord;
  /** The node that is, or was, the primary. */
  readonly primary: NodeRecord;
  readonly records: readonly NodeRecord[];
  readonly local: Database;
  /** Null when that server is down already. */
  readonly primaryDatabase: Database | null;
  readonly trace: SwitchoverTrace;
  readonly progress: SwitchoverProgress;
  readonly rules: SwitchoverRules;
  readonly steps: readonly SwitchoverStep[];
  /** Unpauses the daemons, once; the trace is removed only afterwards, so that nobody leaves them paused unseen. */
  readonly unpause: () => Promise<void>;
}

export const stepOf = <Kind extends SwitchoverStep["kind"]>(
  { steps }: Pick<Switchover, "steps">,
  kind: Kind,
): Extract<SwitchoverStep, { readonly kind: Kind }> | null =>
  (steps.find((step) => step.kind === kind) as
    Extract<SwitchoverStep, { readonly kind: Kind }> | undefined) ?? null;
