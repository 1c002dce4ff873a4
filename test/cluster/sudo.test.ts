import { beforeAll, expect, inject, it } from "vitest";
import { connectToEngine } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { describeStory } from "../harness/containers-story.js";
import { nodeAt, type ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

const data = "/var/lib/postgresql/15/main";
const etc = "/etc/postgresql/15/main";
const control = "sudo -n /usr/bin/pg_ctlcluster 15 main";
const serverSettings = [
  "listen_addresses = '*'",
  "wal_log_hints = on",
  "wal_keep_size = '256MB'",
  "fsync = off",
];
const serviceSettings = [
  ...(["start", "stop", "restart", "reload", "promote"] as const).map(
    (action) => `service_${action}_command='${control} ${action}${action === "stop" ? " -m fast" : ""}'`,
  ),
  "ssh_options='-q -o ConnectTimeout=5'",
];

describeStory({
  title: "service commands with sudo and Debian's layout",
  networkPrefixes: ["172.29.38", "10.79.38", "192.168.138"],
  tell: (network) => {
    const nodes: ContainerNode[] = [];
    const node = (number: number): ContainerNode => nodeAt(nodes, number);
    const repmgr = async (number: number, words: string): Promise<string> =>
      (await node(number).expectSuccess(`repmgr -f /etc/repmgr.conf ${words} 2>&1`)).output;
    const sql = async (number: number, statement: string): Promise<string> =>
      (await node(number).expectSuccess(`psql -XAtq -d repmgr -c "${statement}"`)).output.trim();
    /** What sudo has run for us, by its own log. */
    const countSudo = async (number: number, action: string): Promise<number> =>
      Number(
        (
          await node(number).execute(
            `grep -c "COMMAND=.*pg_ctlcluster 15 main ${action}" /var/log/sudo.log`,
            { user: "root" },
          )
        ).output.trim() || "0",
      );
    const awaitStreaming = (upstream: number, count: number): Promise<boolean> =>
      waitUntil(`${count} standbys stream from node ${upstream}`, async () => {
        return (
          (await sql(upstream, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")) ===
          String(count)
        );
      });

    let image = "";
    beforeAll(async () => {
      if (inject("engineFailure") === null) image = (await buildNodeImage(await connectToEngine())).name;
    });

    it("serve for clone and registration", async () => {
      for (const number of [1, 2, 3]) {
        const name = `n${number}`;
        nodes.push(await network().startNode(name, 10 + number, { image }));
        await node(number).expectSuccess(
          `echo 'postgres ALL=(root) NOPASSWD: /usr/bin/pg_ctlcluster 15 main *' > /etc/sudoers.d/repmgr &&
           echo 'Defaults logfile=/var/log/sudo.log' >> /etc/sudoers.d/repmgr && chmod 0440 /etc/sudoers.d/repmgr &&
           pg_createcluster 15 main -- -A trust >/dev/null && rm -f ${number === 1 ? "/nothing" : `-r ${data}`}`,
          { user: "root" },
        );
        await node(number).appendLines(`${etc}/postgresql.conf`, serverSettings);
        await node(number).appendLines(`${etc}/pg_hba.conf`, [
          "host all all 0.0.0.0/0 trust",
          "host replication all 0.0.0.0/0 trust",
        ]);
        await node(number).expectSuccess(
          `cat > /etc/repmgr.conf <<'EOF'
node_id=${number}
node_name='${name}'
conninfo='host=${name} user=repmgr dbname=repmgr connect_timeout=2'
data_directory='${data}'
config_directory='${etc}'
pg_bindir='/usr/lib/postgresql/15/bin'
${serviceSettings.join("\n")}
EOF`,
          { user: "root" },
        );
      }
      await repmgr(1, "node service --action=start");
      await node(1).expectSuccess("createuser -s repmgr && createdb -O repmgr repmgr");
      await repmgr(1, "primary register");
      for (const number of [2, 3]) {
        await repmgr(number, "-h n1 -U repmgr -d repmgr standby clone -c");
        await repmgr(number, "node service --action=start");
        await repmgr(number, "standby register --wait-sync=20");
      }
      await awaitStreaming(1, 2);
      expect(await countSudo(2, "start")).toBe(1);
    });

    it("serve for each action of node service", async () => {
      for (const action of ["reload", "restart", "stop", "start"]) {
        const before = await countSudo(3, action);
        await repmgr(3, `node service --action=${action}`);
        expect(await countSudo(3, action)).toBe(before + 1);
      }
      await awaitStreaming(1, 2);
    });

    it("serve for a promotion, for those who follow and for a rewind", async () => {
      await node(1).expectSuccess(`${control} stop -m immediate`);
      await repmgr(2, "standby promote");
      expect(await countSudo(2, "promote")).toBe(1);
      await sql(2, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS i");
      await repmgr(3, "standby follow");
      await node(1).expectSuccess(`${control} start`);
      await sql(1, "CREATE TABLE lost AS SELECT generate_series(1, 1000) AS i");
      await repmgr(1, "node service --action=stop");
      const rejoin = await repmgr(1, "node rejoin -d 'host=n2 user=repmgr dbname=repmgr' --force-rewind");
      expect(rejoin).toContain("NODE REJOIN successful");
      await awaitStreaming(2, 2);
      expect(await sql(1, "SELECT to_regclass('lost') IS NULL, to_regclass('kept') IS NOT NULL")).toBe("t|t");
    });

    it("serve for a switchover on both sides", async () => {
      const keys = await Promise.all(
        nodes.map(async (each) => {
          await each.expectSuccess(
            "mkdir -p -m 700 ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519",
          );
          return (await each.expectSuccess("cat ~/.ssh/id_ed25519.pub")).stdout.trim();
        }),
      );
      for (const each of nodes) {
        await each.appendLines("~/.ssh/authorized_keys", keys);
        await each.expectSuccess("ssh-keyscan -t ed25519 n1 n2 n3 > ~/.ssh/known_hosts 2>/dev/null");
      }
      const stops = await countSudo(2, "stop");
      await repmgr(1, "standby switchover --siblings-follow");
      expect(await countSudo(2, "stop")).toBe(stops + 1);
      expect(await countSudo(1, "promote")).toBe(1);
      await awaitStreaming(1, 2);
      await repmgr(1, "cluster show");
    });

    it("end with sudo's own words where sudo refuses, before anything is changed", async () => {
      await node(2).expectSuccess("sed -i '/NOPASSWD/d' /etc/sudoers.d/repmgr", { user: "root" });
      const refused = await node(2).execute(
        'repmgr -f /etc/repmgr.conf node service --action=restart 2>&1; echo "exit $?"',
      );
      expect(refused.output).toMatch(/sudo: .*password is required/);
      expect(refused.output).toMatch(/exit 5\n/);
      const switchover = await node(2).execute(
        'repmgr -f /etc/repmgr.conf standby switchover 2>&1; echo "exit $?"',
      );
      expect(switchover.output).toContain('the service commands of node "n2" (ID: 2) are not allowed');
      expect(switchover.output).toMatch(/pg_ctlcluster 15 main promote: sudo: a password is required\n/);
      expect(switchover.output).toMatch(/exit 1\n/);
      expect(await sql(1, "SELECT pg_is_in_recovery()")).toBe("f");
      await awaitStreaming(1, 2);
    });
  },
});
