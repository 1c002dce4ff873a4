import { describe, expect, it } from "vitest";
import { createCleanupStack } from "../../../src/system/cleanup-stack.js";

describe("createCleanupStack", () => {
  it("releases in reverse order, without what was withdrawn, and carries on after a failure", async () => {
    const released: string[] = [];
    const stack = createCleanupStack();
    const push = (name: string): (() => void) =>
      stack.push(() => {
        released.push(name);
        return name === "second" ? Promise.reject(new Error(name)) : Promise.resolve();
      });
    push("first");
    push("second");
    const withdraw = push("third");
    push("fourth");
    withdraw();
    const failures = await stack.unwind();
    expect(released).toEqual(["fourth", "second", "first"]);
    expect(failures).toEqual([new Error("second")]);
    expect(await stack.unwind()).toEqual([]);
  });
});
