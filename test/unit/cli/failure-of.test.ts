import { describe, expect, it } from "vitest";
import { failureOf } from "../../../src/cli/failure-of.js";
import { DatabaseError } from "../../../src/errors/database-error.js";
import { UserError } from "../../../src/errors/user-error.js";
import { ConninfoError } from "../../../src/model/conninfo.js";

const quiet = { isVerbose: false };

describe("failureOf", () => {
  it("passes on what a command meant to say", () => {
    const error = new UserError(23, { message: "x" });
    expect(failureOf(error, quiet)).toBe(error);
  });

  it("names the rights that are missing", () => {
    const error = new DatabaseError({ message: "permission denied for schema repmgr", sqlState: "42501" });
    expect(failureOf(error, quiet)).toMatchObject({
      exitCode: 7,
      message: "a query failed",
      detail: "permission denied for schema repmgr",
      hint: expect.stringContaining("Without a superuser"),
    });
  });

  it("calls an unreadable conninfo a failed connection", () => {
    expect(failureOf(new ConninfoError("missing ="), quiet)).toMatchObject({
      exitCode: 6,
      detail: "missing =",
    });
  });

  it("shows a bug as one error, its stack only when verbose", () => {
    expect(failureOf(new TypeError("x is not a function"), quiet)).toMatchObject({
      exitCode: 15,
      message: "internal error: x is not a function",
      hint: expect.stringContaining("--verbose"),
    });
    expect(failureOf(new TypeError("x"), quiet).detail).toBeUndefined();
    expect(failureOf(new TypeError("x"), { isVerbose: true }).detail).toContain("TypeError: x");
    expect(failureOf("thrown text", quiet).message).toBe("internal error: thrown text");
  });
});
