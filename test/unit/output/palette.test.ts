import { describe, expect, it } from "vitest";
import { isUtf8Locale } from "../../../src/output/display.js";
import { isColourWanted, loadPalette, plainPalette } from "../../../src/output/palette.js";

type Variables = Readonly<Record<string, string>>;

describe("isColourWanted", () => {
  it.each<[boolean, Variables, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { TERM: "xterm-256color" }, true],
    [true, { TERM: "dumb" }, false],
    [true, { NO_COLOR: "1" }, false],
    // The convention: an empty variable says nothing.
    [true, { NO_COLOR: "" }, true],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "1", TERM: "dumb" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    [false, { CI: "true" }, false],
  ])("for a terminal: %j, with %j, is %j", (isTerminal, variables, expected) => {
    expect(isColourWanted(isTerminal, variables)).toBe(expected);
  });
});

describe("loadPalette", () => {
  it("colours on a terminal and leaves texts alone elsewhere", async () => {
    expect((await loadPalette(true, {})).bad("x")).toBe("\x1b[31mx\x1b[39m");
    expect(await loadPalette(false, {})).toBe(plainPalette);
  });
});

describe("isUtf8Locale", () => {
  it.each<[Variables, boolean]>([
    [{}, false],
    [{ LANG: "en_US.UTF-8" }, true],
    [{ LANG: "de_DE.utf8" }, true],
    [{ LANG: "C" }, false],
    [{ LANG: "en_US.UTF-8", LC_ALL: "C" }, false],
    [{ LANG: "C", LC_CTYPE: "C.UTF-8" }, true],
    [{ LC_ALL: "", LANG: "C.UTF-8" }, true],
  ])("of %j is %j", (variables, expected) => {
    expect(isUtf8Locale(variables)).toBe(expected);
  });
});
