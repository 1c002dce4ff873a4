import type { NodeId } from "../model/node-record.js";
import { askMembers } from "./campaign.js";
import type { Action, DegradedReason, Situation, StandbyState, Step } from "./watch-types.js";

export type Of<Kind extends StandbyState["kind"]> = Extract<StandbyState, { kind: Kind }>;
export type Searching = Pick<Of<"electing">, "upstream" | "round">;

export const stay = (): Step => ({});
export const become = (state: StandbyState, actions: readonly Action[] = []): Step => ({
  watch: { role: "standby", state },
  actions,
});

export function announce(event: Extract<Action, { kind: "announce" }>["event"], node: NodeId | null): Action {
  return { kind: "announce", event, node };
}

export function elect({ upstream, round }: Searching, situation: Situation): Step {
  return become({ kind: "electing", upstream, round, standsAsideUntil: null }, [askMembers(situation)]);
}

export function degrade({ upstream, round }: Searching, reason: DegradedReason, retryAt: number): Step {
  return become({ kind: "degraded", upstream, round: round + 1, reason, retryAt });
}
