import { describe, it } from "vitest";

/** Stands in for the tests with a real sshd on a machine without one, so that the report shows why. */
describe.skip("tests over SSH: switchover, matrix, crosscheck, copied configuration (no /usr/sbin/sshd)", () => {
  it("needs an sshd, for example: apt-get install openssh-server", () => {});
});
