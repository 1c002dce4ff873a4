import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const binDirectory = join(import.meta.dirname, "../../../bin");

/** Stands in for the built program: what it was called as, by which Node, or a text longer than a pipe holds. */
const program = `
exports.main = async ([, path, ...args]) => {
  const { NODE_FOUND, NODE_EXTRA_CA_CERTS, TSREPMGR_KEPT_CA_CERTS } = process.env;
  if (args[0] === "certificates") {
    process.stdout.write(\`\${NODE_EXTRA_CA_CERTS} \${TSREPMGR_KEPT_CA_CERTS}\`);
    return 0;
  }
  const text = JSON.stringify([NODE_FOUND, path, ...args]);
  process.stdout.write(args[0] === "long" ? "x".repeat(1_000_000) : text);
  return 25;
};
`;

describe("bin/tsrepmgr.js", () => {
  let root: string;
  /** An npm prefix with Node beside the links, as version managers and npm install --global make it. */
  let prefix: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "launcher-"));
    prefix = join(root, "version-manager");
    const installed = join(prefix, "lib/node_modules/tsrepmgr");
    mkdirSync(join(installed, "dist"), { recursive: true });
    for (const directory of [join(prefix, "bin"), join(root, "links")]) mkdirSync(directory);
    cpSync(binDirectory, join(installed, "bin"), { recursive: true });
    writeFileSync(join(installed, "package.json"), '{ "type": "module" }');
    for (const name of ["tsrepmgr", "tsrepmgrd"]) writeFileSync(join(installed, `dist/${name}.cjs`), program);
    const markedNode = `#!/bin/sh\nNODE_FOUND=beside exec "${process.execPath}" "$@"\n`;
    writeFileSync(join(prefix, "bin/node"), markedNode, { mode: 0o755 });
    symlinkSync("../lib/node_modules/tsrepmgr/bin/tsrepmgr.js", join(prefix, "bin/tsrepmgr"));
    symlinkSync(join(prefix, "bin/tsrepmgr"), join(root, "links/repmgr"));
    symlinkSync(join(installed, "bin/tsrepmgr.js"), join(root, "links/straight"));
    symlinkSync("../lib/node_modules/tsrepmgr/bin/tsrepmgrd.js", join(prefix, "bin/tsrepmgrd"));
    symlinkSync(join(prefix, "bin/tsrepmgrd"), join(root, "links/repmgrd"));
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const start = (path: string, args: readonly string[], env: Record<string, string> = {}) =>
    spawnSync(path, args, { env: { PATH: "/nonexistent", ...env }, encoding: "utf8", maxBuffer: 2 ** 24 });

  it.each([
    "version-manager/bin/tsrepmgr",
    "version-manager/bin/tsrepmgrd",
    "links/repmgr",
    "links/repmgrd",
    "links/straight",
  ])("finds its Node without PATH as %s", (name) => {
    const path = join(root, name);
    const { status, stdout, stderr } = start(path, ["cluster show", "--csv"]);
    expect({ status, stdout, stderr }).toEqual({
      status: 25,
      stdout: JSON.stringify(["beside", path, "cluster show", "--csv"]),
      stderr: "",
    });
  });

  it("takes the Node that TSREPMGR_NODE names", () => {
    const result = start(join(root, "links/repmgr"), [], { TSREPMGR_NODE: "/bin/echo" });
    expect(result.stdout).toBe(`${join(root, "links/repmgr")}\n`);
  });

  it("keeps extra certificates from Node and has them for the programs that it starts", () => {
    const program = join(root, "links/straight");
    writeFileSync(join(root, "env"), '#!/bin/sh\necho "${NODE_EXTRA_CA_CERTS-none}"\n', { mode: 0o755 });
    const env = { NODE_EXTRA_CA_CERTS: "/nonexistent/ca.crt" };
    expect(start(program, [], { ...env, TSREPMGR_NODE: join(root, "env") }).stdout).toBe("none\n");
    expect(start(program, ["certificates"], { ...env, PATH: process.env["PATH"] ?? "" })).toMatchObject({
      stdout: "/nonexistent/ca.crt undefined",
      stderr: "",
    });
  });

  it("runs as a script of Node", () => {
    expect(start(process.execPath, [launcherOf(prefix), "x"]).stdout).toContain('"x"');
  });

  it("writes all of a long output to a slow reader behind a pipe", () => {
    const line = `"${join(root, "links/repmgr")}" long | (sleep 0.2; wc -c)`;
    const { stdout } = spawnSync("/bin/sh", ["-c", line], { encoding: "utf8" });
    expect(stdout.trim()).toBe("1000000");
  });

  it("says in one line that the program is not built", () => {
    rmSync(join(dirname(dirname(launcherOf(prefix))), "dist"), { recursive: true });
    const { status, stderr } = start(join(root, "links/repmgr"), []);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "repmgr: the program is not built yet; run `npm run build` in its directory first\n",
    });
  });
});

const launcherOf = (prefix: string): string => join(prefix, "lib/node_modules/tsrepmgr/bin/tsrepmgr.js");
