import { waitForPrimary } from "./fault-node.js";
import { describeFaults } from "./story.js";

describeFaults({
  title: "two nodes",
  shape: { size: 2, settings: { auto_rejoin: "true" } },
  tell: (fault) => {
    fault("clean stop, two nodes", async ({ primary, standbys, load }) => {
      await primary.stopServer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      return () => primary.startServer();
    });
  },
});
