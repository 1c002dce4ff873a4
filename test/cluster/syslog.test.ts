import { beforeAll, expect, inject, it } from "vitest";
import { trixie } from "../compat/releases.js";
import { connectToEngine } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

/** A syslog daemon's own part: it owns /dev/log and writes down each datagram. */
const receiver = `socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un("/dev/log")) || die $!;
chmod 0666, "/dev/log"; $| = 1; print "$m\\n" while defined recv(S, $m, 65536, 0)`;

describeStory({
  title: "log_facility",
  networkPrefixes: ["172.29.28", "10.79.28", "192.168.128"],
  tell: (network) => {
    let image = "";
    let node: ContainerNode;
    const received = async (): Promise<string> => (await node.expectSuccess("cat /tmp/received")).output;
    const runAs = (program: string, facility: string): ReturnType<ContainerNode["execute"]> =>
      node.execute(
        `sed -i "s/^log_facility=.*/log_facility=${facility}/" /tmp/repmgr.conf
        ${program} -f /tmp/repmgr.conf --log-to-file cluster show`,
      );

    beforeAll(async () => {
      if (inject("engineFailure") === null)
        image = (await buildNodeImage(await connectToEngine(), trixie)).name;
    });

    it("sends every line of a record with facility, severity, ident and process id", async () => {
      node = await network().startNode("n1", 11, { image });
      await node.appendLines("/tmp/repmgr.conf", [
        "node_id=1",
        "node_name=n1",
        "conninfo='host=127.0.0.1 port=1 user=repmgr dbname=repmgr connect_timeout=2'",
        "data_directory='/nowhere'",
        "log_facility=STDERR",
      ]);
      await node.expectSuccess(`setsid perl -MSocket -e '${receiver}' > /tmp/received 2>&1 < /dev/null &`, {
        user: "root",
      });
      await waitUntil("syslog listens", async () => (await node.execute("test -S /dev/log")).exitCode === 0);
      expect(await runAs("/opt/ours/bin/repmgr", "LOCAL3")).toMatchObject({ exitCode: 6, stdout: "" });
      // LOCAL3 is facility 19, an error severity 3.
      const line =
        /^<155>\w{3} [ \d]\d \d\d:\d\d:\d\d repmgr\[(\d+)\]: ERROR: connection to database failed$/m;
      const found = line.exec(await received());
      expect(found).not.toBeNull();
      expect(await received()).toMatch(
        new RegExp(`^<155>.* repmgr\\[${found?.[1] ?? ""}\\]: DETAIL: connection to server at `, "m"),
      );
    });

    it("counts LOCAL0 and USER as syslog does, and calls itself as it was called", async () => {
      await node.expectSuccess("ln -s /opt/tsrepmgr/bin/tsrepmgr.js /tmp/tsrepmgr");
      await runAs("/tmp/tsrepmgr", "LOCAL0");
      await runAs("/tmp/tsrepmgr", "USER");
      expect(await received()).toMatch(/^<131>.* tsrepmgr\[\d+\]: ERROR: connection to database failed$/m);
      expect(await received()).toMatch(/^<11>.* tsrepmgr\[\d+\]: ERROR: connection to database failed$/m);
    });

    it("takes what the daemon says, under the daemon's name", async () => {
      await node.execute(
        `sed -i "s/^log_facility=.*/log_facility=LOCAL3/" /tmp/repmgr.conf
        timeout 5 /opt/tsrepmgr/bin/tsrepmgrd.js -f /tmp/repmgr.conf --daemonize=false --no-pid-file`,
      );
      // Severity 5 is a notice.
      expect(await received()).toMatch(/^<157>.* tsrepmgrd\[\d+\]: NOTICE: \S/m);
    });

    it("loses messages, but no exit code and no time, where no syslog listens", async () => {
      await node.expectSuccess("rm /dev/log", { user: "root" });
      expect(await runAs("/opt/ours/bin/repmgr", "LOCAL3")).toMatchObject({ exitCode: 6 });
    });
  },
});
