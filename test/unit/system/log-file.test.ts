import { describe, expect, it } from "vitest";
import { openLogFile } from "../../../src/system/log-file.js";

describe("openLogFile", () => {
  it("hands a record that the disk has no room for to somebody else, and goes on", () => {
    const failures: [text: string, reason: string][] = [];
    const file = openLogFile("/dev/full", (text, reason) => failures.push([text, reason]));
    file.write("first\n");
    file.write("second\n");
    expect(failures).toEqual([
      ["first\n", "no space left on device"],
      ["second\n", "no space left on device"],
    ]);
  });
});
