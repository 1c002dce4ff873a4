import { describe, expect, it } from "vitest";
import {
  planWalReceiverControl,
  type WalReceiverFacts,
  type WalReceiverPlan,
} from "../../../src/decide/wal-receiver.js";

describe("planWalReceiverControl", () => {
  const running = { inRecovery: true, isSuperuser: true, receiverPid: 42, retryIntervalMs: 5000 };
  const disabled = { receiverPid: null, retryIntervalMs: 86_405_000 };

  it.each<["disable" | "enable", Partial<WalReceiverFacts>, WalReceiverPlan]>([
    ["disable", {}, { kind: "disable", pid: 42, retryIntervalMs: 86_405_000 }],
    ["disable", { retryIntervalMs: 86_400_000 }, { kind: "disable", pid: 42, retryIntervalMs: null }],
    ["enable", disabled, { kind: "enable", retryIntervalMs: 5000 }],
    ["enable", {}, { kind: "enable", retryIntervalMs: null }],
  ])("to %s with %j", (wish, changes, plan) => {
    expect(planWalReceiverControl({ ...running, ...changes }, wish)).toEqual(plan);
  });

  it.each<["disable" | "enable", Partial<WalReceiverFacts>, string]>([
    ["disable", disabled, "wal receiver not running"],
    ["disable", { inRecovery: false }, "node is not in recovery"],
    ["enable", { inRecovery: false }, "node is not in recovery"],
    ["enable", { isSuperuser: false }, "superuser connection required"],
  ])("refuses to %s with %j", (wish, changes, message) => {
    expect(planWalReceiverControl({ ...running, ...changes }, wish)).toMatchObject({
      kind: "refused",
      problem: { message },
    });
  });
});
