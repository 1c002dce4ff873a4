import type { NodeStatus } from "../../../decide/node-status.js";
import { listCsvFields } from "./fields.js";

/**
 * The reference's own format, byte for byte: texts are quoted but a quote within them is not doubled, and the last two
 * lines have a name for each slot.
 */
export function renderNodeStatusCsv(status: NodeStatus, options: { readonly isVerbose: boolean }): string {
  const { facts, inactiveSlots, missingSlots } = status;
  const texts = listCsvFields(status, options).map(([key, value]) => `"${key}","${value}"`);
  const numbers = (
    [
      ["max_wal_senders", facts.maximumWalSenders],
      ["occupied_wal_senders", facts.walSenders.length],
      ["max_replication_slots", facts.maximumSlots],
      ["active_replication_slots", facts.physicalSlots.length - inactiveSlots.length],
    ] as const
  ).map(([key, value]) => `"${key}",${value}`);
  const names = (
    [
      ["inactive_replication_slots", inactiveSlots],
      ["missing_replication_slots", missingSlots.map(({ slotName }) => slotName)],
    ] as const
  ).map(([key, slots]) => [`"${key}"`, slots.length, ...slots.map((slot) => `"${slot}"`)].join(","));
  return [...texts, ...numbers, ...names].map((line) => `${line}\n`).join("");
}
