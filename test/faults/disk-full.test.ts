import { dataDirectory, waitForPrimary } from "./fault-node.js";
import { describeFaults } from "./story.js";

const filler = "/var/lib/postgresql/data/filler";

describeFaults({
  title: "three nodes with small disks",
  shape: { size: 3, dataSize: "200m", settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("disk full", async ({ primary, standbys, load }) => {
      // A data file that cannot grow is an error; a log that cannot grow stops the server.
      await primary.attempt(
        `dd if=/dev/zero of=${filler} bs=8k 2>/dev/null
        psql -Xq -U repmgr repmgr -c "SELECT count(pg_logical_emit_message(false, 'fill', repeat('x', 100000))) FROM generate_series(1, 500)"`,
      );
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      return async () => {
        await primary.run(`rm ${filler}`);
        await primary.attempt(`pg_ctl -D ${dataDirectory} -m fast -w stop`);
        await primary.startServer();
      };
    });
  },
});
