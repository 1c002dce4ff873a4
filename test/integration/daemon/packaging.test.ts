import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { newDirectory } from "../../harness/postgres-server.js";
import { writeRepmgrConf } from "../../harness/program.js";
import { testEnvironment } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { createRegisteredPrimary } from "../cluster/make-cluster.js";

const packaging = resolve(import.meta.dirname, "../../../packaging");
const program = resolve(import.meta.dirname, "../../../bin/tsrepmgrd.js");
const has = (command: string): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;

describe("packaging", () => {
  it.runIf(has("systemd-analyze")).each(["tsrepmgrd.service", "tsrepmgrd-forking.service"])(
    "systemd finds nothing to say about %s",
    async (name) => {
      const copy = join(await newDirectory("unit"), name);
      const unit = readFileSync(join(packaging, "systemd", name), "utf8");
      writeFileSync(copy, unit.replaceAll("/usr/local/bin/tsrepmgrd", "/bin/true"));
      const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", copy], {
        encoding: "utf8",
      });
      expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: "" });
    },
  );

  it.runIf(has("systemd-analyze"))(
    "systemd finds nothing to say about PostgreSQL's unit with the guard",
    async () => {
      const directory = await newDirectory("unit");
      const dropIn = "postgresql@.service.d";
      mkdirSync(join(directory, dropIn));
      writeFileSync(
        join(directory, "postgresql@.service"),
        "[Service]\nType=forking\nExecStart=/bin/true %i\n",
      );
      const text = readFileSync(join(packaging, "systemd", dropIn, "tsrepmgr-guard.conf"), "utf8");
      const verify = (guard: string) => {
        writeFileSync(join(directory, dropIn, "tsrepmgr-guard.conf"), guard);
        const unit = join(directory, "postgresql@.service");
        const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", unit], {
          encoding: "utf8",
        });
        return { status, output: stdout + stderr };
      };
      expect(verify(text)).toEqual({ status: 0, output: "" });
      expect(verify(text.replace("/usr/sbin/runuser", "runuser-that-is-missing/x")).output).not.toBe("");
    },
  );

  it("the init script starts, reports, reloads and stops the daemon", async () => {
    const node = await createRegisteredPrimary();
    const directory = await newDirectory("init");
    const logFile = join(directory, "d.log");
    const pidFile = join(directory, "d.pid");
    const configFile = await writeRepmgrConf(
      { ...node.server, directory },
      { node_id: 1, node_name: "n1", log_file: logFile, state_directory: join(directory, "state") },
    );
    mkdirSync(join(directory, "bin"));
    const launcher = join(directory, "bin/tsrepmgrd");
    writeFileSync(launcher, `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
    chmodSync(launcher, 0o755);
    const defaults = join(directory, "defaults");
    const setDefaults = (enabled: string): void => {
      const values = {
        ENABLED: enabled,
        CONF: configFile,
        OPTS: "--daemonize=false",
        USER: userInfo().username,
        BIN: launcher,
        PIDFILE: pidFile,
      };
      writeFileSync(
        defaults,
        Object.entries(values)
          .map(([key, value]) => `REPMGRD_${key}="${value}"\n`)
          .join(""),
      );
    };
    const script = join(directory, "repmgrd");
    writeFileSync(
      script,
      readFileSync(join(packaging, "init.d/repmgrd"), "utf8").replace(
        "/etc/default/$NAME ] && . /etc/default/$NAME",
        `${defaults} ] && . ${defaults}`,
      ),
    );
    const run = (action: string) =>
      spawnSync("sh", [script, action], { encoding: "utf8", env: testEnvironment() });

    setDefaults("no");
    expect(run("start").stdout).toContain("disabled");
    setDefaults("yes");
    expect(run("status").status).toBe(3);
    const started = run("start");
    expect(started, started.stdout + started.stderr).toMatchObject({ status: 0 });
    const pid = Number(readFileSync(pidFile, "utf8"));
    try {
      expect(run("status")).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`running (pid ${pid})`),
      });
      expect(run("start").stdout).toContain("already running");
      expect(run("force-reload").status).toBe(0);
      await waitUntil("it has read its configuration again", async () =>
        readFileSync(logFile, "utf8").includes("SIGHUP received"),
      );
      expect(run("restart").status).toBe(0);
      expect(Number(readFileSync(pidFile, "utf8"))).not.toBe(pid);
    } finally {
      expect(run("stop").status).toBe(0);
    }
    expect(run("status").status).toBe(3);
  });
});
