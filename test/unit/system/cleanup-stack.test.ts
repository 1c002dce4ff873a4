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

  it("says farewell after the last release, also what that has registered, and once", async () => {
    const said: string[] = [];
    const stack = createCleanupStack();
    stack.pushFarewell(() => said.push("farewell"));
    stack.push(async () => {
      said.push("released");
      stack.pushFarewell(() => said.push("late farewell"));
    });
    await stack.unwind();
    expect(said).toEqual(["released", "farewell", "late farewell"]);
    await stack.unwind();
    expect(said).toHaveLength(3);
  });

  it("leaves the moment of the farewell to others", async () => {
    const said: string[] = [];
    const moments: (() => void)[] = [];
    const stack = createCleanupStack((sayAll) => moments.push(sayAll));
    stack.pushFarewell(() => said.push("farewell"));
    await stack.unwind();
    expect(said).toEqual([]);
    for (const sayAll of moments) sayAll();
    expect(said).toEqual(["farewell"]);
  });
});
