import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { trixie } from "../compat/releases.js";
import { connectToEngine } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { describeStory } from "../harness/containers-story.js";

const checkout = resolve(import.meta.dirname, "../..");
const files = [
  "bin",
  "dist",
  "node_modules",
  "package.json",
  "src",
  "test",
  "tsconfig.json",
  "vitest.config.ts",
];

/** Where versions of PostgreSQL differ: backups, recovery settings, promotion, rewinding, pg_waldump, catalogs. */
const chosen = [
  "clone/clone",
  "follow/follow",
  "metadata/schema",
  "node-status/node-status",
  "promote/promote",
  "rejoin/re",
  "killed/rewind",
].map((name) => `test/integration/${name}`);

describeStory({
  title: `integration tests on PostgreSQL ${trixie.postgresMajor}`,
  networkPrefixes: ["172.29.37", "10.79.37", "192.168.137"],
  tell: (network) => {
    it("pass where versions differ", async () => {
      const engine = await connectToEngine();
      const { name: image } = await buildNodeImage(engine, trixie);
      const node = await network().startNode("tests", 11, { image });
      const tar = spawn("tar", ["-C", checkout, "-c", ...files], { stdio: ["ignore", "pipe", "inherit"] });
      await node.expectSuccess("mkdir checkout");
      const directory = "/var/lib/postgresql/checkout";
      await engine.getContainer(node.id).putArchive(tar.stdout, { path: directory });
      await node.expectSuccess(`chown -R postgres: ${directory}`, { user: "root" });
      const vitest = `/opt/tsrepmgr/bin/node node_modules/vitest/vitest.mjs run --project integration --no-color`;
      const { exitCode, output } = await node.execute(`${vitest} ${chosen.join(" ")}`, { directory });
      expect(exitCode, output).toBe(0);
      console.log(
        output
          .split("\n")
          .filter((line) => /^ *Tests? /.test(line))
          .join("\n"),
      );
    });
  },
});
