import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeId } from "../../../src/model/node-record.js";
import { parseProgramVersion } from "../../../src/remote/program-version.js";
import { buildProgramScript, findSshHost } from "../../../src/remote/remote-node.js";
import { cutPreamble, wrapScript } from "../../../src/remote/remote-shell.js";
import { splitSshOptions } from "../../../src/remote/ssh-options.js";

describe("findSshHost", () => {
  const find = (conninfo: string) => findSshHost({ nodeId: nodeId(2), nodeName: "node2", conninfo });

  it.each([
    ["host=node2 port=5433", "node2"],
    ["host=node2 hostaddr=192.0.2.7", "node2"],
    ["hostaddr=192.0.2.7", "192.0.2.7"],
    ["host=::1", "::1"],
    ["postgresql://[2001:db8::7]:5433/repmgr", "2001:db8::7"],
    ["host=node2,node3", "node2"],
  ])("%s: %s", (conninfo, host) => {
    expect(find(conninfo)).toBe(host);
  });

  it.each(["dbname=repmgr", "host=/run/postgresql", "host=@socket"])("%s names no host", (conninfo) => {
    expect(() => find(conninfo)).toThrow('node "node2" (ID: 2) has no host to reach by SSH');
  });
});

describe("parseProgramVersion", () => {
  it.each([
    ["tsrepmgr 0.1.0 (compatible with repmgr 5.5.0)\n", ["tsrepmgr", "0.1.0", "5.5.0"]],
    ["repmgr 5.5.0 (tsrepmgr 0.1.0)\n", ["tsrepmgr", "0.1.0", "5.5.0"]],
    ["repmgr 5.3.3\n", ["repmgr", "5.3.3", "5.3.3"]],
    ["repmgr 5.6dev\n", ["repmgr", "5.6dev", "5.6dev"]],
    ["WARNING: something\nrepmgr 5.5.0\n", ["repmgr", "5.5.0", "5.5.0"]],
  ])("%s", (text, expected) => {
    expect(Object.values(parseProgramVersion(text) ?? {})).toEqual(expected);
  });

  it.each(["", "bash: repmgr: command not found", "psql (PostgreSQL) 15.1"])("%j is none of ours", (text) => {
    expect(parseProgramVersion(text)).toBeNull();
  });
});

describe("buildProgramScript", () => {
  it("brings any arguments through two shells", () => {
    const program = { programName: "printf", repmgrBindir: "/no where's", pgBindir: "/usr/bin/" };
    const word = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0") && !/^-/.test(text));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (words) => {
        const script = wrapScript(buildProgramScript(program, ["<%s>", ...words]), "MARK");
        const output = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8", stdio: "pipe" });
        const [, said] = /^\/usr\/bin\/printf\n([^]*)$/.exec(cutPreamble(output, "MARK") ?? "") ?? [];
        expect(said).toBe(words.length === 0 ? "<>" : words.map((text) => `<${text}>`).join(""));
      }),
      { numRuns: 60 },
    );
  });

  const call = (path: string): { readonly exitCode: number; readonly output: string } => {
    const program = { programName: "printf", repmgrBindir: "", pgBindir: "/no where's" };
    const script = buildProgramScript(program, ["%s,", "a b", "*"]);
    const { status, stdout } = spawnSync("/bin/sh", ["-c", script], {
      encoding: "utf8",
      env: { PATH: path },
    });
    return { exitCode: status ?? -1, output: stdout };
  };

  it("takes the first executable file of that name in PATH", () => {
    const folder = mkdtempSync(join(tmpdir(), "path with blanks-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [directory, plain, ours] = ["1", "2", "3"].map((name) => join(folder, name));
    mkdirSync(join(directory ?? "", "printf"), { recursive: true });
    for (const one of [plain, ours]) mkdirSync(one ?? "");
    writeFileSync(join(plain ?? "", "printf"), "#!/bin/sh\n");
    symlinkSync("/usr/bin/printf", join(ours ?? "", "printf"));
    expect(call(`/nowhere::${directory}:${plain}:${ours}:/usr/bin`)).toEqual({
      exitCode: 0,
      output: `${ours}/printf\na b,*,`,
    });
  });

  it("says where it has looked", () => {
    expect(call("/nowhere:/no where's")).toEqual({ exitCode: 127, output: "\n/nowhere:/no where's\n" });
  });
});

describe("cutPreamble", () => {
  it.each([
    ["MARK\nout\n", "out\n"],
    ["Welcome\nno end of lineMARK\nout\nMARK\n", "out\nMARK\n"],
    ["Welcome\n", null],
    ["MARK", null],
  ])("%j", (output, rest) => {
    expect(cutPreamble(output, "MARK")).toBe(rest);
  });
});

describe("splitSshOptions", () => {
  it.each([
    ["-q -o ConnectTimeout=10", ["-q", "-o", "ConnectTimeout=10"]],
    ['-o "ProxyCommand=ssh -W %h:%p jump"', ["-o", "ProxyCommand=ssh -W %h:%p jump"]],
    ["-i '/my keys/id' -i $HOME/id", ["-i", "/my keys/id", "-i", "/home/joe/id"]],
    ["-o SendEnv=LC_*", ["-o", "SendEnv=LC_*"]],
    ["", []],
  ])("%s", (text, words) => {
    expect(splitSshOptions(text, { HOME: "/home/joe" })).toEqual(words);
  });

  it.each(["-q; reboot", "-q | tee", "-q > file"])("refuses %s", (text) => {
    expect(() => splitSshOptions(text, {})).toThrow('invalid value for "ssh_options"');
  });
});
