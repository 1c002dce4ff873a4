import { beforeAll, expect, inject, it } from "vitest";
import { connectToEngine } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

const data = "/var/lib/postgresql/data";
const path = "PATH=/usr/lib/postgresql/15/bin:$PATH";
const theirs = 5400;
const ours = 5401;

describeStory({
  title: "role_port beside bgw_replstatus",
  networkPrefixes: ["172.29.39", "10.79.39", "192.168.139"],
  tell: (network) => {
    const nodes: ContainerNode[] = [];
    const run = async (node: ContainerNode, line: string): Promise<string> =>
      (await node.expectSuccess(`export ${path}; ${line}`)).output;
    const start = (node: ContainerNode): Promise<string> =>
      run(node, `pg_ctl -D ${data} -l /tmp/server.log -w start >/dev/null`);
    /** What comes until the other side closes, and the exit code of bash, which is 1 where nobody listens. */
    const askPort = async (node: ContainerNode, port: number): Promise<string> => {
      const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && timeout 3 cat <&3`;
      const result = await node.execute(`bash -c '${ask}' 2>/dev/null; echo " exit $?"`);
      return result.output;
    };
    /** Ours ends with a newline; the other one leaves the prompt of a shell behind its word. */
    const awaitSame = async (node: ContainerNode, word: string): Promise<void> => {
      await waitUntil(
        `both ports of ${node.name} answer ${word}`,
        async () =>
          (await askPort(node, theirs)) === `${word} exit 0\n` &&
          (await askPort(node, ours)) === `${word}\n exit 0\n`,
        30_000,
      );
    };

    let image = "";
    beforeAll(async () => {
      if (inject("engineFailure") === null) image = (await buildNodeImage(await connectToEngine())).name;
    });

    it("answers as it does on a primary and on a standby", async () => {
      for (const number of [1, 2]) {
        const node = await network().startNode(`n${number}`, 10 + number, { image });
        nodes.push(node);
        await node.expectSuccess(
          "apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15-bgw-replstatus >/dev/null",
          { user: "root" },
        );
        await node.appendLines("/tmp/repmgr.conf", [
          `node_id=${number}`,
          `node_name=n${number}`,
          `conninfo='host=n${number} user=repmgr dbname=repmgr connect_timeout=2'`,
          `data_directory='${data}'`,
          "pg_bindir='/usr/lib/postgresql/15/bin'",
          `role_port=${ours}`,
        ]);
      }
      const [primary, standby] = nodes;
      if (primary === undefined || standby === undefined) throw new Error("there are no two nodes");
      await run(primary, `initdb -A trust -D ${data} >/dev/null`);
      await primary.appendLines(`${data}/postgresql.conf`, [
        "listen_addresses = '*'",
        "fsync = off",
        "shared_preload_libraries = 'bgw_replstatus'",
        `bgw_replstatus.port = ${theirs}`,
      ]);
      await primary.appendLines(`${data}/pg_hba.conf`, [
        "host all all 0.0.0.0/0 trust",
        "host replication all 0.0.0.0/0 trust",
      ]);
      await start(primary);
      await run(primary, "createuser -s repmgr && createdb -O repmgr repmgr");
      await run(primary, "repmgr -f /tmp/repmgr.conf primary register 2>&1");
      await run(standby, "repmgr -f /tmp/repmgr.conf -h n1 -U repmgr -d repmgr standby clone -c 2>&1");
      await start(standby);
      await run(standby, "repmgr -f /tmp/repmgr.conf standby register 2>&1");
      for (const node of nodes)
        await run(
          node,
          "repmgrd -f /tmp/repmgr.conf -d -p /tmp/repmgrd.pid </dev/null >/tmp/repmgrd.log 2>&1",
        );
      await awaitSame(primary, "MASTER");
      await awaitSame(standby, "STANDBY");
    });

    it("follows a promotion", async () => {
      const [primary, standby] = nodes;
      if (primary === undefined || standby === undefined) throw new Error("there are no two nodes");
      await run(primary, `pg_ctl -D ${data} -m fast -w stop >/dev/null`);
      await run(standby, "repmgr -f /tmp/repmgr.conf standby promote 2>&1");
      await awaitSame(standby, "MASTER");
    });

    it("is refused while the server is down", async () => {
      const [primary] = nodes;
      if (primary === undefined) throw new Error("there is no node");
      await waitUntil("our port is closed", async () => (await askPort(primary, ours)) === " exit 1\n");
      expect(await askPort(primary, theirs)).toBe(" exit 1\n");
    });
  },
});
