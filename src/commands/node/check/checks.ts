import type { CheckFinding } from "../../../decide/node-check-findings.js";
import {
  checkArchiveReady,
  checkDownstream,
  checkMissingSlots,
  checkReplicationLag,
  checkRole,
  checkSlots,
  checkUpstream,
} from "../../../decide/node-checks.js";
import {
  checkDataDirectory,
  checkReplicationConfigOwner,
  checkRepmgrd,
} from "../../../decide/node-checks-of-host.js";
import type { NodeType } from "../../../model/node-record.js";
import { reportUnreadableArchive } from "../report-archive.js";
import {
  gatherAttachments,
  gatherDataDirectory,
  gatherRepmgrd,
  gatherReplicationConfigOwners,
  gatherUpstreamAttachments,
  readThresholds,
  type Checking,
} from "./gather.js";

type RunCheck = (checking: Checking, expectedRole: NodeType | null) => Promise<CheckFinding>;

/** The checks of a server that answers, in the order in which the first one given is chosen (reference: repmgr-cli 7.1). */
const checks = {
  "archive-ready": ({ context, facts }) => {
    reportUnreadableArchive(context.reporter, facts.pendingArchiving);
    return Promise.resolve(checkArchiveReady(facts, readThresholds(context.settings)));
  },
  upstream: async (checking) => checkUpstream(checking.facts, await gatherUpstreamAttachments(checking)),
  downstream: async ({ database, facts }) => checkDownstream(facts, await gatherAttachments(database)),
  "replication-lag": ({ context, facts }) =>
    Promise.resolve(checkReplicationLag(facts, readThresholds(context.settings))),
  role: ({ facts }, expected) => Promise.resolve(checkRole(facts, expected)),
  slots: ({ facts }) => Promise.resolve(checkSlots(facts)),
  "missing-slots": ({ facts }) => Promise.resolve(checkMissingSlots(facts)),
  "data-directory-config": async (checking) => checkDataDirectory(await gatherDataDirectory(checking)),
  repmgrd: async (checking) => checkRepmgrd(await gatherRepmgrd(checking)),
  "replication-config-owner": async ({ context }) =>
    checkReplicationConfigOwner(await gatherReplicationConfigOwners(context.settings.data_directory)),
} as const satisfies Readonly<Record<string, RunCheck>>;

export type ServerCheckName = keyof typeof checks;

export const serverCheckNames = Object.keys(checks) as readonly ServerCheckName[];

/** What the overview shows, in its order. */
const overview: readonly ServerCheckName[] = [
  "role",
  "replication-lag",
  "archive-ready",
  "upstream",
  "downstream",
  "slots",
  "missing-slots",
  "data-directory-config",
];

export function runCheck(
  checking: Checking,
  name: ServerCheckName,
  expectedRole: NodeType | null,
): Promise<CheckFinding> {
  return checks[name](checking, expectedRole);
}

/** An upstream that cannot be reached ends the overview, as it ends the reference's. Throws UserError. */
export async function runOverview(checking: Checking): Promise<readonly CheckFinding[]> {
  const findings: CheckFinding[] = [];
  for (const name of overview) findings.push(await checks[name](checking, null));
  return findings;
}
