import { describe, expect, it } from "vitest";
import {
  judgeHostKey,
  type KnownHostKey,
  mayName,
  orderHostKeyAlgorithms,
  parseKnownHostKeys,
} from "../../../src/remote/host-keys.js";

const key = (base64: string, parts: Partial<KnownHostKey> = {}): KnownHostKey => ({
  marker: "none",
  type: "ssh-ed25519",
  base64,
  file: "/known_hosts",
  line: 1,
  ...parts,
});
const revoked = key("BAD", { marker: "revoked" });
const rsa = key("RSA", { type: "ssh-rsa" });

describe("parseKnownHostKeys", () => {
  it("reads plain, hashed and marked lines with their numbers", () => {
    const text = [
      "# Host node2 found: line 3 ",
      "node2,192.0.2.7 ssh-ed25519 AAAA comment words",
      "# Host node2 found: line 5 ",
      "|1|salt=|hash= ecdsa-sha2-nistp256 BBBB",
      "# Host node2 found: line 8 REVOKED",
      "@revoked * ssh-rsa CCCC",
      "# Host node2 found: line 9 CA",
      "@cert-authority *.example.org ssh-rsa DDDD",
      "",
    ].join("\n");
    expect(parseKnownHostKeys(text, "/f")).toEqual([
      { marker: "none", type: "ssh-ed25519", base64: "AAAA", file: "/f", line: 3 },
      { marker: "none", type: "ecdsa-sha2-nistp256", base64: "BBBB", file: "/f", line: 5 },
      { marker: "revoked", type: "ssh-rsa", base64: "CCCC", file: "/f", line: 8 },
      { marker: "cert-authority", type: "ssh-rsa", base64: "DDDD", file: "/f", line: 9 },
    ]);
  });
});

describe("mayName", () => {
  it.each([
    ["", false],
    ["other ssh-ed25519 AAAA node2", false],
    ["[node2]:2222 ssh-ed25519 AAAA", false],
    ["# node2 ssh-ed25519 AAAA", false],
    ["a,Node2 ssh-ed25519 AAAA", true],
    ["  node2\tssh-ed25519 AAAA", true],
    ["@revoked node2 ssh-ed25519 AAAA", true],
    ["other ssh-rsa AAAA\n*,!node3 ssh-ed25519 AAAA", true],
    ["|1|salt=|hash= ssh-ed25519 AAAA", true],
  ])("judges %j", (text, expected) => {
    expect(mayName(text, "node2")).toBe(expected);
  });
});

describe("judgeHostKey", () => {
  const files = ["/home/joe/known_hosts"];
  it.each([
    { what: "the same key", keys: [key("KEY")], verdict: "known" },
    { what: "the same key among others of its type", keys: [key("OLD"), key("KEY")], verdict: "known" },
    { what: "no key", keys: [], verdict: "unknown" },
    { what: "no key, accept-new", keys: [], strictness: "accept-new", verdict: "accepted" },
    { what: "no key, accept-any", keys: [], strictness: "accept-any", verdict: "accepted" },
    { what: "another key", keys: [key("OLD")], verdict: "changed" },
    { what: "another key, accept-new", keys: [key("OLD")], strictness: "accept-new", verdict: "changed" },
    { what: "another key, accept-any", keys: [key("OLD")], strictness: "accept-any", verdict: "accepted" },
    { what: "a key of another type only", keys: [rsa], verdict: "unknown" },
    { what: "the same key for any port", keys: [], anyPort: [key("KEY")], verdict: "known" },
    { what: "another key for any port", keys: [], anyPort: [key("OLD")], verdict: "unknown" },
    {
      what: "the same key, revoked",
      keys: [key("KEY"), key("KEY", { marker: "revoked" })],
      verdict: "revoked",
    },
    {
      what: "the same key, revoked, accept-any",
      keys: [key("KEY", { marker: "revoked" })],
      strictness: "accept-any",
      verdict: "revoked",
    },
    { what: "a revoked key that is not shown", keys: [revoked], verdict: "unknown" },
    { what: "an authority", keys: [key("KEY", { marker: "cert-authority" })], verdict: "unknown" },
  ] as const)("$what: $verdict", ({ keys, verdict, ...rest }) => {
    const { strictness = "refuse-unknown", anyPort = [] } = rest as {
      strictness?: "accept-new";
      anyPort?: KnownHostKey[];
    };
    const shown = { type: "ssh-ed25519", base64: "KEY" };
    const known = { name: "node2", keys, keysOfAnyPort: anyPort };
    expect(judgeHostKey(shown, known, { strictness, knownHostsFiles: files }).kind).toBe(verdict);
  });

  it.each([
    [["/home/joe/known_hosts"], true],
    [["/dev/null"], false],
    [[], false],
  ])("with %j a new key is recorded: %s", (knownHostsFiles, recorded) => {
    const shown = { type: "ssh-ed25519", base64: "KEY" };
    const known = { name: "node2", keys: [], keysOfAnyPort: [] };
    expect(judgeHostKey(shown, known, { strictness: "accept-any", knownHostsFiles })).toEqual({
      kind: "accepted",
      warning: null,
      recorded,
    });
  });
});

describe("orderHostKeyAlgorithms", () => {
  it("puts the types that are known first", () => {
    const algorithms = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"];
    expect(orderHostKeyAlgorithms(algorithms, [rsa])).toEqual([
      "rsa-sha2-512",
      "rsa-sha2-256",
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
    ]);
  });
});
