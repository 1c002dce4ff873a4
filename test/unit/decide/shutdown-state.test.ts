import { describe, expect, it } from "vitest";
import {
  judgeShutdown,
  renderShutdownState,
  type ShutdownFacts,
} from "../../../src/decide/shutdown-state.js";
import { parseLsn } from "../../../src/model/lsn.js";

const control = (state: string): ShutdownFacts["control"] => ({
  state,
  checkpointLsn: parseLsn("0/4000060"),
});
const facts = (changes: Partial<ShutdownFacts>): ShutdownFacts => ({
  isDataDirectory: true,
  isServerUp: false,
  control: control("shut down"),
  ...changes,
});

describe("judgeShutdown", () => {
  it.each<[Partial<ShutdownFacts>, string]>([
    [{}, "--state=SHUTDOWN --last-checkpoint-lsn=0/4000060\n"],
    [{ control: control("shut down in recovery") }, "--state=SHUTDOWN --last-checkpoint-lsn=0/4000060\n"],
    [{ control: control("in production") }, "--state=UNCLEAN_SHUTDOWN\n"],
    [{ control: control("shutting down") }, "--state=UNCLEAN_SHUTDOWN\n"],
    [{ isServerUp: true, control: control("in production") }, "--state=UP\n"],
    [{ isServerUp: true, control: control("shut down") }, "--state=UP\n"],
    [{ isServerUp: true, control: control("shutting down") }, "--state=SHUTTING_DOWN\n"],
    [{ control: null }, "--state=UNKNOWN\n"],
    [{ isServerUp: true, control: null }, "--state=UNKNOWN\n"],
    [{ isDataDirectory: false, isServerUp: true }, "--state=UNKNOWN\n"],
  ])("%o: %s", (changes, line) => {
    expect(renderShutdownState(judgeShutdown(facts(changes)))).toBe(line);
  });
});
