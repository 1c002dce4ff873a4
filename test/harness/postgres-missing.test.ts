import { describe, it } from "vitest";

/** Stands in for the whole integration suite on a machine without PostgreSQL, so that the report shows why. */
describe.skip("integration tests (no PostgreSQL in /usr/lib/postgresql/*/bin or PATH)", () => {
  it("needs a PostgreSQL server, for example: apt-get install postgresql-15", () => {});
});
