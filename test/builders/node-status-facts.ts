import type { NodeStatusFacts } from "../../src/decide/node-status.js";
import { parseLsn } from "../../src/model/lsn.js";
import { nodeRecord } from "./node-record.js";

/** A healthy primary n1 with the standby n2 and its slot. */
export function primaryStatusFacts(changes: Partial<NodeStatusFacts> = {}): NodeStatusFacts {
  return {
    record: nodeRecord({ nodeName: "n1" }),
    upstream: null,
    downstreams: [nodeRecord({ id: 2, nodeName: "n2", slotName: "repmgr_slot_2" })],
    serverVersion: "15.18",
    dataSize: { bytes: 30_000_000, text: "29 MB" },
    systemIdentifier: "7710451323153731621",
    inRecovery: false,
    archiveMode: "on",
    archiveCommand: "/bin/true",
    pendingArchiving: { kind: "counted", files: 2 },
    maximumWalSenders: 10,
    walSenders: ["n2"],
    maximumSlots: 10,
    physicalSlots: [{ name: "repmgr_slot_2", isActive: true }],
    receivedLsn: null,
    replayedLsn: null,
    lagSeconds: 0,
    isWalReceiverRunning: false,
    slotSynchronisation: {
      slots: [],
      isOn: false,
      isWorkerRunning: false,
      hasFeedback: false,
      hasPrimarySlot: false,
      hasDatabase: false,
    },
    ...changes,
  };
}

/** Its healthy standby n2. */
export function standbyStatusFacts(changes: Partial<NodeStatusFacts> = {}): NodeStatusFacts {
  return primaryStatusFacts({
    record: nodeRecord({ id: 2, nodeName: "n2" }),
    upstream: nodeRecord({ nodeName: "n1" }),
    downstreams: [],
    inRecovery: true,
    pendingArchiving: { kind: "counted", files: 0 },
    walSenders: [],
    physicalSlots: [],
    receivedLsn: parseLsn("0/51050B8"),
    replayedLsn: parseLsn("0/51050B8"),
    isWalReceiverRunning: true,
    ...changes,
  });
}
