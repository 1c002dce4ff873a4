import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort } from "../../harness/free-port.js";
import { newDirectory, testEnvironment } from "../../harness/test-run.js";

const checkout = resolve(import.meta.dirname, "../../..");

/** The `sh` blocks of a README section, as one script that a reader would have typed. */
function shellBlocksOf(title: string): string {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  const section = readme.split(/^##+ /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, script]) => script).join("");
}

describe('README "Five-minute cluster"', () => {
  it("works as written and leaves nothing behind", async () => {
    const script = shellBlocksOf("Five-minute cluster");
    expect(script).toContain("standby clone");
    const directory = await newDirectory("readme");
    const programs = await newDirectory("readme-bin");
    symlinkSync(join(checkout, "bin/tsrepmgr.js"), join(programs, "tsrepmgr"));
    const shell = spawn("bash", ["-e", "-u", "-o", "pipefail", "-c", script], {
      cwd: directory,
      env: {
        ...testEnvironment(),
        PATH: `${programs}:${process.env["PATH"] ?? ""}`,
        PORT1: String(await freePort()),
        PORT2: String(await freePort()),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    const [exitCode] = (await once(shell, "close")) as [number | null];
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/ 1 {2}\| node1 \| primary \| \* running \|/);
    expect(output).toMatch(/ 2 {2}\| node2 \| standby \| {3}running \| node1 /);
    expect(output).toContain('NOTICE: standby node "node2" (ID: 2) successfully registered');
  });
});
