import { createDatabases } from "../../src/postgres/connect.js";
import type { Databases } from "../../src/postgres/database.js";
import { homeDirectory, testEnvironment } from "./test-run.js";

/** The product's own way to servers, in the environment of the tests. */
export function testDatabases(): Databases {
  return createDatabases({
    variables: testEnvironment(),
    homeDirectory: homeDirectory(),
    osUser: "postgres",
  });
}
