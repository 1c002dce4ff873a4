import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const program = resolve(import.meta.dirname, "../../../bin/tsrepmgr.js");

describe("standard output", () => {
  it("that cannot be written is one ERROR and a failure", async () => {
    const command = `exec "$0" "$1" --version-number --terse >/dev/full`;
    const result = await new Promise<{ code: unknown; stderr: string }>((settle) => {
      execFile("/bin/sh", ["-c", command, process.execPath, program], (error, _stdout, stderr) =>
        settle({ code: error?.code ?? 0, stderr }),
      );
    });
    expect(result).toEqual({
      code: 13,
      stderr: "ERROR: unable to write to standard output\nDETAIL: no space left on device\n",
    });
  });
});
