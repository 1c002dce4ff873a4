import { describe, expect, it } from "vitest";
import type { ConfigurationFilesFacts } from "../../../src/decide/configuration-files.js";
import { planClone } from "../../../src/decide/clone.js";
import type { RemoteFile } from "../../../src/model/remote-file.js";
import { cloneFacts, cloneRequest } from "../../builders/clone-facts.js";

type FoundFile = Extract<ConfigurationFilesFacts, { readonly kind: "found" }>["files"][number];
type Destination = FoundFile["destination"];

const file = (path: string, content = "", destination: Partial<Destination> = {}): FoundFile => ({
  source: { kind: "file", path, content: Buffer.from(content), mode: 0o640, owner: "postgres", group: "adm" },
  destination: { path, state: "absent", obstacle: null, ...destination },
});
const unreadable = (path: string): FoundFile => ({
  source: { kind: "unreadable", path, reason: "Permission denied" } satisfies RemoteFile,
  destination: { path, state: "different", obstacle: null },
});

function plan(files: readonly FoundFile[], request: Parameters<typeof cloneRequest>[0] = {}) {
  const facts = cloneFacts({ configurationFiles: { kind: "found", files } });
  return planClone(facts, cloneRequest({ configurationPlacement: "samepath", ...request }));
}

describe("planClone with configuration files", () => {
  it("copies them after the backup and before the node becomes a standby", () => {
    const decision = plan([file("/etc/a.conf"), file("/etc/same.conf", "", { state: "same" })]);
    expect(decision).toMatchObject({
      kind: "ready",
      steps: [
        { kind: "prepare-directory" },
        { kind: "create-slot" },
        { kind: "base-backup" },
        {
          kind: "copy-configuration-files",
          isOptional: false,
          copies: [{ source: { path: "/etc/a.conf" } }],
        },
        { kind: "write-configuration" },
      ],
    });
  });

  it.each<[string, FoundFile[], RegExp]>([
    ["cannot be read", [unreadable("/etc/a.conf")], /^unable to read configuration file "\/etc\/a.conf"/],
    [
      "cannot be written",
      [file("/etc/a.conf", "", { obstacle: "no" })],
      /^unable to write configuration file/,
    ],
    [
      "has the name of another one",
      [file("/etc/a.conf", "", { path: "/d/a.conf" }), file("/etc/x/a.conf", "", { path: "/d/a.conf" })],
      /^configuration file "\/etc\/x\/a.conf" has the same name as "\/etc\/a.conf"/,
    ],
  ])("refuses a file that %s, and leaves it out with --force", (_reason, files, message) => {
    const decision = plan(files);
    if (decision.kind !== "refused") throw new Error("not refused");
    expect(decision.problems).toEqual([
      expect.objectContaining({
        kind: "configuration-file",
        message: expect.stringMatching(message) as string,
      }),
    ]);
    const forced = plan(files, { force: true });
    if (forced.kind !== "ready") throw new Error("refused with --force");
    expect(forced.warnings.map((warning) => warning.message)).toEqual([
      expect.stringMatching(new RegExp(`${message.source}.*; it is not copied$`)),
    ]);
  });

  it.each([
    ["data_directory = '/var/lib/postgresql/15/main'", ["/var/lib/postgresql/15/main"]],
    ["data_directory '/elsewhere/' # comment", ["/elsewhere"]],
    ["data_directory = '/pgdata'", []],
    ["data_directory = '/one'\ndata_directory = '/pgdata'", []],
    ["#data_directory = '/elsewhere'", []],
  ])("warns of another data directory in %j", (content, directories) => {
    const decision = plan([file("/etc/postgresql.conf", content)]);
    if (decision.kind !== "ready") throw new Error("refused");
    expect(decision.warnings.map(({ message }) => message)).toEqual(
      directories.map((directory) => `"/etc/postgresql.conf" sets "data_directory" to "${directory}"`),
    );
  });
});
