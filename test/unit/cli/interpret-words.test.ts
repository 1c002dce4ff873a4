import { describe, expect, it } from "vitest";
import { interpretWords } from "../../../src/cli/interpret-words.js";

const errorOf = (...words: string[]): string => interpretWords(words, "repmgr").errors.join("\n");

describe("interpretWords", () => {
  it.each([
    ["cluster", "show"],
    ["CLUSTER", "Show"],
    ["master", "register"],
    ["cluster", "events"],
    ["primary", "status"],
    ["Standby", "STATUS"],
    ["completion", "bash"],
  ])("finds %s %s", (noun, verb) => {
    expect(interpretWords([noun, verb], "repmgr")).toMatchObject({ errors: [], load: expect.any(Function) });
  });

  it("finds a command of one word, in any case, and leaves it the other words", () => {
    expect(interpretWords(["Doctor"], "repmgr")).toMatchObject({
      errors: [],
      load: expect.any(Function),
      rest: [],
    });
    expect(interpretWords(["doctor", "x"], "repmgr").rest).toEqual(["x"]);
  });

  it("leaves further words to the command", () => {
    expect(interpretWords(["standby", "clone", "host1"], "repmgr").rest).toEqual(["host1"]);
  });

  it.each([
    [[], "no repmgr command provided"],
    [["Cluster"], "no action provided for command 'Cluster'"],
    [["clutser", "shwo"], "unknown repmgr action 'clutser shwo'; did you mean 'cluster show'?"],
    [["cluster", "shwo"], "unknown repmgr action 'cluster shwo'; did you mean 'cluster show'?"],
    [["cluster", "cleanpu"], "unknown repmgr action 'cluster cleanpu'; did you mean 'cluster cleanup'?"],
    [["standbye"], "unknown repmgr command 'standbye'; did you mean 'standby'?"],
    [["frobnicate", "x"], "unknown repmgr action 'frobnicate x'"],
    [["cluster", "frobnicate"], "unknown repmgr action 'cluster frobnicate'"],
  ])("says what is wrong with %j", (words, message) => {
    expect(errorOf(...words)).toBe(message);
  });
});
