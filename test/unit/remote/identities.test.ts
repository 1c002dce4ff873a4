import { describe, expect, it } from "vitest";
import { type Identity, orderKeys } from "../../../src/remote/identities.js";

const file = (publicKey: string): Identity => ({
  kind: "usable",
  path: `/${publicKey}`,
  publicKey,
  text: Buffer.alloc(0),
});
const agentKeys = ["a", "b", "c"].map((publicKey) => ({ publicKey }));
const names = (keys: readonly { readonly publicKey: string }[]): string =>
  keys.map(({ publicKey }) => publicKey).join("");

describe("orderKeys", () => {
  it.each([
    { what: "the agent's keys before files", files: [file("x")], fromAgent: "abc", rest: "x" },
    { what: "named keys of the agent first", files: [file("x"), file("c")], fromAgent: "cab", rest: "x" },
    { what: "only named keys", files: [file("x"), file("c")], only: true, fromAgent: "c", rest: "x" },
    {
      what: "a key that is named by its public half",
      files: [{ kind: "public-only", path: "/b", publicKey: "b" }],
      only: true,
      fromAgent: "b",
      rest: "",
    },
  ] as const)("$what", ({ files, fromAgent, rest, ...options }) => {
    const order = orderKeys(agentKeys, files, "only" in options);
    expect([names(order.fromAgent), names(order.files)]).toEqual([fromAgent, rest]);
  });

  it("calls a key locked unless the agent holds it", () => {
    const locked = (path: string, publicKey: string | null): Identity => ({
      kind: "locked",
      path,
      publicKey,
    });
    const identities = [locked("/held", "a"), locked("/unknown", null), locked("/not held", "x")];
    expect(orderKeys(agentKeys, identities, false).locked).toEqual(["/unknown", "/not held"]);
  });
});
