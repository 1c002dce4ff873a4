import { describe, expect, it } from "vitest";
import { insistsOnAnswers } from "../../../src/decide/asking.js";
import { decide } from "../../../src/decide/transitions.js";
import type { Situation } from "../../../src/decide/watch-types.js";
import type { MemberAnswer } from "../../../src/model/member-report.js";
import { nodeId } from "../../../src/model/node-record.js";
import { answerOf, situations } from "./grid-samples.js";

const [one, three] = [nodeId(1), nodeId(3)];
const silent = (...ids: (typeof one)[]): readonly MemberAnswer[] =>
  ids.map((id) => ({ kind: "unreachable", nodeId: id }));

/** Node 2 of three, writable, which has asked the others so many milliseconds ago. */
function primary(askedAgoMs: number): Situation {
  const [situation] = situations("primary", { kind: "leading", term: 4, lease: null });
  if (situation === undefined) throw new Error("there is no situation");
  const { daemon, now } = situation;
  const askedAt = now - askedAgoMs;
  return {
    ...situation,
    daemon: { ...daemon, answers: [], lastTurnAt: now, membersAskedAt: askedAt, membersAnsweredAt: askedAt },
  };
}

describe("a primary whose questions have come to an end", () => {
  it.each([
    { heard: "nobody answers, at last", answers: silent(one, three), askedAgoMs: 999, asks: true },
    { heard: "nobody answers, at once", answers: silent(one, three), askedAgoMs: 5, asks: false },
    {
      heard: "a majority answers",
      answers: [...silent(one), answerOf(three, { votes: false, isWilling: false })],
      askedAgoMs: 999,
      asks: false,
    },
  ])("asks again without a pause: $asks, when $heard", ({ answers, askedAgoMs, asks }) => {
    const situation = primary(askedAgoMs);
    const askedAt = situation.now - askedAgoMs;
    const { state, actions } = decide(
      situation.daemon,
      { kind: "members-answered", answers, askedAt },
      situation,
    );
    expect(actions.some(({ kind }) => kind === "ask-members")).toBe(asks);
    expect(insistsOnAnswers(state, situation.settings)).toBe(
      answers.every(({ kind }) => kind !== "answered"),
    );
  });

  it("takes votes for a later term for a reason to ask for votes only when all had their say", () => {
    const situation = primary(20);
    const askedAt = situation.now - 20;
    const answer = answerOf(three, { votes: true, isWilling: false });
    const early = decide(situation.daemon, { kind: "member-answered", answer, askedAt }, situation);
    expect(early.state.watch.state.kind).toBe("leading");
    const answers = [...silent(one), answer];
    const whole = decide(early.state, { kind: "members-answered", answers, askedAt }, situation);
    expect(whole.state.watch.state.kind).toBe("reasserting");
    expect(insistsOnAnswers(whole.state, situation.settings)).toBe(true);
  });
});
