import { beforeAll, expect, inject, it } from "vitest";
import { trixie } from "../compat/releases.js";
import { connectToEngine } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { describeStory } from "../harness/containers-story.js";
import { nodeAt, type ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

const data = "/var/lib/postgresql/data";
const path = `PATH=/opt/ours/bin:/usr/lib/postgresql/${trixie.postgresMajor}/bin:$PATH`;
const serverSettings = `
listen_addresses = '*'
wal_level = logical
wal_log_hints = on
sync_replication_slots = on
hot_standby_feedback = on
wal_retrieve_retry_interval = 200ms
fsync = off`;

describeStory({
  title: "failover slots of PostgreSQL 17",
  networkPrefixes: ["172.29.27", "10.79.27", "192.168.127"],
  tell: (network) => {
    const nodes: ContainerNode[] = [];
    const node = (number: number): ContainerNode => nodeAt(nodes, number);
    const run = async (number: number, line: string): Promise<string> =>
      (await node(number).expectSuccess(`export ${path}; ${line}`)).output;
    const repmgr = (number: number, words: string): Promise<string> =>
      run(number, `repmgr -f /tmp/repmgr.conf ${words} 2>&1`);
    const sql = async (number: number, statement: string): Promise<string> =>
      (await run(number, `psql -XAtq -d repmgr -c "${statement}"`)).trim();
    const start = (number: number): Promise<string> =>
      run(number, `pg_ctl -D ${data} -l /tmp/server.log -w start >/dev/null`);
    const primaryConninfo = (number: number): Promise<string> =>
      run(number, `grep ^primary_conninfo ${data}/postgresql.auto.conf`);

    /** Ends with 25 where something is left to do. */
    const nodeStatus = (number: number): ReturnType<ContainerNode["execute"]> =>
      node(number).execute(`export ${path}; repmgr -f /tmp/repmgr.conf node status 2>&1`);

    /** The copy of a slot lasts once the primary has shown it a position that it can be read from. */
    const awaitCopy = (primary: number, standby: number): Promise<boolean> =>
      waitUntil(
        `node ${standby} has a lasting copy of the slot`,
        async () => {
          await sql(primary, "SELECT pg_log_standby_snapshot()");
          await sql(primary, "SELECT pg_logical_slot_get_changes('sub1', NULL, NULL)");
          const copies = await sql(
            standby,
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'sub1' AND synced AND NOT temporary",
          );
          return copies === "1";
        },
        60_000,
      );

    /** After a change of its settings the server starts the worker again within ten seconds. */
    const awaitWorker = (number: number): Promise<boolean> =>
      waitUntil(
        `node ${number} synchronises slots`,
        async () => (await nodeStatus(number)).output.includes("\tSlot synchronisation: running\n"),
        30_000,
      );

    let image = "";
    beforeAll(async () => {
      if (inject("engineFailure") === null)
        image = (await buildNodeImage(await connectToEngine(), trixie)).name;
    });

    it("are synchronised to a standby right after its clone", async () => {
      for (const number of [1, 2, 3]) {
        const name = `n${number}`;
        nodes.push(await network().startNode(name, 10 + number, { image }));
        await node(number).appendLines("/tmp/repmgr.conf", [
          `node_id=${number}`,
          `node_name=${name}`,
          `conninfo='host=${name} user=repmgr dbname=repmgr connect_timeout=2'`,
          `data_directory='${data}'`,
          `pg_bindir='/usr/lib/postgresql/${trixie.postgresMajor}/bin'`,
          "use_replication_slots=yes",
        ]);
      }
      await run(1, `initdb -k -A trust -D ${data} >/dev/null`);
      await node(1).appendLines(`${data}/postgresql.conf`, serverSettings.split("\n"));
      await node(1).appendLines(`${data}/pg_hba.conf`, [
        "host all all 0.0.0.0/0 trust",
        "host replication all 0.0.0.0/0 trust",
      ]);
      await start(1);
      await run(1, "createuser -s repmgr && createdb -O repmgr repmgr");
      await repmgr(1, "primary register");
      for (const number of [2, 3]) {
        await repmgr(number, "-h n1 -U repmgr -d repmgr standby clone -c");
        expect(await primaryConninfo(number)).toContain("dbname=repmgr");
        await start(number);
        await repmgr(number, "standby register");
      }
      await sql(1, "SELECT pg_create_logical_replication_slot('sub1', 'test_decoding', failover => true)");
      await awaitCopy(1, 2);
      const status = await repmgr(2, "node status");
      expect(status).toContain("\tFailover slots: 1 (1 synchronised)\n\tSlot synchronisation: running\n");
      expect(await repmgr(1, "node status")).toContain("\tFailover slots: 1\n");
    });

    it("survive a promotion, and the other standby synchronises them from the new primary", async () => {
      await awaitCopy(1, 3);
      await run(1, `pg_ctl -D ${data} -m fast -w stop >/dev/null`);
      await repmgr(2, "standby promote");
      await repmgr(3, "standby follow");
      expect(await primaryConninfo(3)).toMatch(/host=n2\b.*dbname=repmgr/);
      expect(await sql(2, "SELECT slot_name FROM pg_replication_slots WHERE failover")).toBe("sub1");
      await awaitCopy(2, 3);
      await awaitWorker(3);
      expect(await repmgr(3, "standby follow")).toContain("this node follows that upstream already");
    });

    it("stay on the old primary when it rejoins, and its status says what is left to do", async () => {
      await repmgr(1, "-h n2 -U repmgr -d repmgr node rejoin");
      expect(await primaryConninfo(1)).toMatch(/host=n2\b.*dbname=repmgr/);
      expect(await sql(1, "SELECT slot_name FROM pg_replication_slots WHERE NOT synced AND failover")).toBe(
        "sub1",
      );
      await waitUntil("the status of node 1 names the slot", async () => {
        const { exitCode, output } = await nodeStatus(1);
        return exitCode === 25 && output.includes("SELECT pg_drop_replication_slot('sub1')");
      });
      await sql(1, "SELECT pg_drop_replication_slot('sub1')");
      await awaitCopy(2, 1);
      await awaitWorker(1);
    });
  },
});
