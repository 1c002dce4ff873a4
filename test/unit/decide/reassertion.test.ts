import { describe, expect, it } from "vitest";
import type { PromotionRecord } from "../../../src/model/vote.js";
import { nodeId } from "../../../src/model/node-record.js";
import { primaryWatch } from "../../../src/decide/primary-watch.js";
import type { PrimaryState, Situation } from "../../../src/decide/watch-types.js";
import { serverReport, situations } from "./grid-samples.js";

const two = nodeId(2);
const leading = { kind: "leading", term: 4, lease: null } as const;
const campaign = { term: 6, startedAt: 100_000, timeline: 2, isValidated: true };
const reasserting = { ...leading, kind: "reasserting", round: 0, campaign: null, retryAt: 100_500 } as const;
const record: PromotionRecord = { term: 5, node: two, timeline: 2, forkLsn: serverReport(false).lsn };

/** Node 2, writable on this timeline with this term in its log. */
function situationOf(
  state: PrimaryState,
  server: { timeline: number; termRow?: number; promotion?: PromotionRecord | null },
): Situation {
  const [situation] = situations("primary", { ...state });
  if (situation === undefined) throw new Error("there is no sample");
  return { ...situation, daemon: { ...situation.daemon, local: { ...serverReport(false), ...server } } };
}

describe("a primary with a term below the votes", () => {
  it.each([
    { title: "one that was never promoted", server: { timeline: 1 }, waitsMs: 0 },
    { title: "one whose promotion is on record", server: { timeline: 2, promotion: record }, waitsMs: 0 },
    { title: "one that was promoted just now", server: { timeline: 2 }, waitsMs: 1000 },
    {
      title: "one that this daemon was about to promote",
      server: { timeline: 2 },
      promotingTerm: 4,
      waitsMs: 0,
    },
  ])("$title asks for votes after $waitsMs ms", ({ server, promotingTerm = null, waitsMs }) => {
    const sample = situationOf(leading, server);
    const memory = { ...sample.daemon.memory, promotingTerm };
    const situation = { ...sample, daemon: { ...sample.daemon, memory } };
    const { watch } = primaryWatch.leading.outvoted(leading, { kind: "outvoted" }, situation);
    expect(watch?.state).toMatchObject({ kind: "reasserting", retryAt: situation.now + waitsMs });
  });

  const overdue = { ...reasserting, retryAt: 0 };
  it.each([
    { title: "leads with the record that has come", state: reasserting, termRow: 5, becomes: "leading 5" },
    { title: "does so when the votes were due, too", state: overdue, termRow: 5, becomes: "leading 5" },
    { title: "waits for a record", state: reasserting, termRow: 4, becomes: "reasserting 4" },
    {
      title: "asks for votes where none has come",
      state: overdue,
      termRow: 4,
      becomes: "reasserting 4, term 5",
    },
    {
      title: "waits for the votes that it asked for",
      state: { ...reasserting, campaign },
      termRow: 5,
      becomes: "reasserting 4, term 6",
    },
  ])("$title", ({ state, termRow, becomes }) => {
    const situation = situationOf(state, { timeline: 2, termRow });
    const { watch } = primaryWatch.reasserting.tick(state, { kind: "tick" }, situation);
    const after = watch?.role === "primary" && "term" in watch.state ? watch.state : null;
    const asked =
      after?.kind === "reasserting" && after.campaign !== null ? `, term ${after.campaign.term}` : "";
    expect(`${after?.kind} ${after?.term}${asked}`).toBe(becomes);
  });
});
