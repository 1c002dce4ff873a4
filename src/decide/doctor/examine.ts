import { checkArchiving } from "./check-archiving.js";
import { checkConfiguration } from "./check-configuration.js";
import { checkAccess, checkConnection, checkReplicationConnection } from "./check-connections.js";
import {
  checkDataDirectory,
  checkDiskSpace,
  checkPrograms,
  checkServiceCommands,
  type HostSubject,
} from "./check-host.js";
import { checkIdentity } from "./check-identity.js";
import { checkPasswords } from "./check-passwords.js";
import { checkClock, checkSchema, checkSynchronousCommit, checkVersion } from "./check-server.js";
import { checkSettings } from "./check-settings.js";
import { checkSlots } from "./check-slots.js";
import { checkSlotSynchronisation, checkUpstream } from "./check-upstream.js";
import { checkSyncMode } from "./check-sync-mode.js";
import type { DoctorFacts, NodeFacts } from "./facts.js";
import { toRows, type CheckResult, type DoctorRow } from "./report.js";
import { nodeId } from "../../model/node-record.js";

/** Every check of every node, by node in the order of the facts, then in the order of the checks. */
export function examineCluster(facts: DoctorFacts): readonly DoctorRow[] {
  const local = facts.nodes.find(({ isLocal }) => isLocal);
  // With a configuration that is wrong or not there, nobody knows which node this is.
  if (local === undefined) {
    return toRows({ nodeId: nodeId(0), nodeName: "this node" }, checkConfiguration(facts));
  }
  return facts.nodes.flatMap((node) =>
    [...(node.isLocal ? examineHost(node, facts) : []), ...examineServer(node, facts)]
      .filter((result) => result !== null)
      .flatMap((result) => toRows(node, result)),
  );
}

function examineHost(node: NodeFacts, facts: DoctorFacts): readonly CheckResult[] {
  const { host, settings, programName } = facts;
  if (host === null || settings === null) return [checkConfiguration(facts)];
  const subject: HostSubject = { host, settings, server: node.server, programName };
  return [
    checkConfiguration(facts),
    checkDataDirectory(subject),
    checkPrograms(subject),
    checkServiceCommands(subject),
    checkDiskSpace(subject),
    checkPasswords(subject),
  ];
}

function examineServer(node: NodeFacts, facts: DoctorFacts): readonly (CheckResult | null)[] {
  const { server } = node;
  const contact = [
    checkConnection(node, facts),
    checkReplicationConnection(node),
    checkAccess(node, facts),
    checkIdentity(node, facts),
  ];
  if (server === null) return contact;
  return [
    ...contact,
    checkVersion(node, server, facts),
    checkSchema(node, server, facts),
    checkSettings(node, server, facts),
    checkArchiving(node, server),
    checkClock(node, server),
    checkSlots(node, server, facts),
    checkSlotSynchronisation(node, server, facts),
    checkUpstream(node, server, facts),
    checkSyncMode(node, server, facts),
    checkSynchronousCommit(server, facts),
  ];
}
