import { beforeAll, expect, inject, it } from "vitest";
import { connectToEngine } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { describeStory } from "../harness/containers-story.js";
import { nodeAt, type ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

const data = "/var/lib/postgresql/data";
const path = "PATH=/usr/lib/postgresql/15/bin:$PATH";
const daemon = "tsrepmgrd -f /tmp/repmgr.conf --daemonize=false --no-pid-file 2>>/tmp/repmgrd.log";
const whenAsked = "until test -e /tmp/go; do sleep 0.1; done";

describeStory({
  title: "the daemon as the first process of a container",
  networkPrefixes: ["172.29.40", "10.79.40", "192.168.140"],
  tell: (network) => {
    const nodes: ContainerNode[] = [];
    const node = (number: number): ContainerNode => nodeAt(nodes, number);
    const run = async (number: number, line: string): Promise<string> =>
      (await node(number).expectSuccess(`export ${path}; ${line}`)).output;
    const start = (number: number): Promise<string> =>
      run(number, `pg_ctl -D ${data} -l /tmp/server.log -w start >/dev/null`);
    const awaitLog = (number: number, text: string): Promise<boolean> =>
      waitUntil(
        `the daemon of node ${number} says "${text}"`,
        async () => (await node(number).execute("cat /tmp/repmgrd.log")).output.includes(text),
        40_000,
      );
    const listZombies = async (number: number): Promise<readonly string[]> => {
      const list = "for s in /proc/[0-9]*/stat; do cat $s 2>/dev/null; done";
      const { output } = await node(number).execute(list);
      return output.split("\n").filter((line) => /^\d+ \(.*\) Z /.test(line));
    };
    const expectNoZombies = (number: number): Promise<boolean> =>
      waitUntil(`node ${number} has no zombies`, async () => (await listZombies(number)).length === 0);

    let image = "";
    beforeAll(async () => {
      if (inject("engineFailure") === null) image = (await buildNodeImage(await connectToEngine())).name;
    });

    it("waits for its server and watches it", async () => {
      for (const number of [1, 2]) {
        const firstProcess = `${whenAsked}; exec ${daemon}`;
        nodes.push(await network().startNode(`n${number}`, 10 + number, { image, firstProcess }));
        await node(number).appendLines("/tmp/repmgr.conf", [
          `node_id=${number}`,
          `node_name=n${number}`,
          `conninfo='host=n${number} user=repmgr dbname=repmgr connect_timeout=2'`,
          `data_directory='${data}'`,
          "pg_bindir='/usr/lib/postgresql/15/bin'",
          "failover=automatic",
          "promote_command='repmgr -f /tmp/repmgr.conf standby promote'",
          "follow_command='repmgr -f /tmp/repmgr.conf standby follow --upstream-node-id=%n'",
          // It leaves a process behind.
          "event_notification_command='sleep 0.5 >/dev/null 2>&1 &'",
          "reconnect_attempts=2",
          "reconnect_interval=1",
          "vote_hold=6500ms",
        ]);
      }
      await run(1, `initdb -A trust -D ${data} >/dev/null`);
      await node(1).appendLines(`${data}/postgresql.conf`, ["listen_addresses = '*'", "fsync = off"]);
      await node(1).appendLines(`${data}/pg_hba.conf`, [
        "host all all 0.0.0.0/0 trust",
        "host replication all 0.0.0.0/0 trust",
      ]);
      await start(1);
      await run(1, "createuser -s repmgr && createdb -O repmgr repmgr");
      await run(1, "repmgr -f /tmp/repmgr.conf primary register 2>&1");
      await run(2, "repmgr -f /tmp/repmgr.conf -h n1 -U repmgr -d repmgr standby clone -c 2>&1");
      await start(2);
      await run(2, "repmgr -f /tmp/repmgr.conf standby register 2>&1");
      for (const number of [1, 2]) await run(number, "touch /tmp/go");
      await awaitLog(1, "monitoring cluster primary");
      await awaitLog(2, "monitoring connection to upstream node");
    });

    it("leaves no zombies of a restarted server and of scripts", async () => {
      await run(2, `pg_ctl -D ${data} -l /tmp/server.log -w restart >/dev/null`);
      await expectNoZombies(2);
    });

    it("hears a SIGHUP that is sent to process 1", async () => {
      await run(2, "kill -HUP 1");
      await awaitLog(2, "SIGHUP received");
    });

    it("leaves none after a failover, on either side", async () => {
      await run(1, `kill -KILL $(head -n 1 ${data}/postmaster.pid)`);
      await waitUntil(
        "node 2 is promoted",
        async () =>
          (await node(2).execute(`psql -XAtq -h n2 -U repmgr -c "SELECT pg_is_in_recovery()"`)).output ===
          "f\n",
        40_000,
      );
      await awaitLog(2, "monitoring cluster primary");
      for (const number of [1, 2]) await expectNoZombies(number);
    });

    it("ends in order when the container is stopped", async () => {
      const container = (await connectToEngine()).getContainer(node(1).id);
      await container.stop({ t: 20 });
      const { State } = await container.inspect();
      expect(State.ExitCode).toBe(0);
    });
  },
});
