import { beforeAll, describe, expect, it } from "vitest";
import * as ours from "../../../src/postgres/login-cryptography.js";

type Cryptography = Record<keyof typeof ours, (...values: readonly unknown[]) => unknown>;

const [user, password] = ["repmgr", "päss wörd"];
const salt = Buffer.from("0123456789abcdef");
const data = Buffer.from("some data");

describe("what a login computes", () => {
  let theirs: Cryptography;
  beforeAll(async () => {
    const path = "pg/lib/crypto/utils.js";
    theirs = ((await import(path)) as { default: Cryptography }).default;
  });

  it.each<[keyof Cryptography, readonly unknown[]]>([
    ["deriveKey", [password, salt, 4096]],
    ["hmacSha256", [data, "a message, ü"]],
    ["sha256", [data]],
    ["hashByName", ["SHA-256", data]],
    ["hashByName", ["SHA-384", data]],
    ["md5", [password]],
    ["postgresMd5PasswordHash", [user, password, salt.subarray(0, 4)]],
  ])("is what pg computes: %s", async (name, values) => {
    const [own, expected] = await Promise.all([
      (ours as unknown as Cryptography)[name](...values),
      theirs[name](...values),
    ]);
    const bytes = (value: unknown): string =>
      typeof value === "string" ? value : Buffer.from(value as ArrayBuffer).toString("hex");
    expect(bytes(own)).toBe(bytes(expected));
    expect(bytes(own)).not.toBe("");
  });

  it("has every function that pg asks for, and a new nonce each time", () => {
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
    expect(ours.randomBytes(18)).toHaveLength(18);
    expect(ours.randomBytes(18)).not.toEqual(ours.randomBytes(18));
  });

  it("derives the key of a password, a salt and a number of rounds once, and of another one anew", async () => {
    const first = ours.deriveKey("one", salt, 2);
    expect(ours.deriveKey("one", Buffer.from(salt), 2)).toBe(first);
    const others = await Promise.all([
      ours.deriveKey("two", salt, 2),
      ours.deriveKey("one", data, 2),
      ours.deriveKey("one", salt, 3),
    ]);
    for (const other of others) expect(other).not.toEqual(await first);
  });
});
