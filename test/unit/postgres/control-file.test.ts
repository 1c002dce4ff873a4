import { describe, expect, it } from "vitest";
import { parseLsn } from "../../../src/model/lsn.js";
import { parseControlData } from "../../../src/postgres/control-file.js";

const output = `pg_control version number:            1300
Database system identifier:           7710451323153731621
Database cluster state:               shut down in recovery
pg_control last modified:             Sat Nov 21 02:59:05 2026
Latest checkpoint location:           1A/60021B8
Latest checkpoint's REDO location:    0/6002180
Latest checkpoint's TimeLineID:       3
Latest checkpoint's oldestCommitTsXid:0
Minimum recovery ending location:     0/7000000
Min recovery ending loc's timeline:   2
wal_log_hints setting:                on
Data page checksum version:           1
Bytes per WAL segment:                16777216
`;

describe("parseControlData", () => {
  it("reads what pg_controldata prints", () => {
    expect(parseControlData(output)).toEqual({
      kind: "read",
      control: {
        state: "shut down in recovery",
        systemIdentifier: "7710451323153731621",
        checkpointLsn: parseLsn("1A/60021B8"),
        timeline: 3,
        minimumRecoveryLsn: parseLsn("0/7000000"),
        minimumRecoveryTimeline: 2,
        checksumVersion: 1,
        walLogHints: true,
        walSegmentBytes: 16_777_216,
      },
    });
  });

  it("believes nothing of a damaged file", () => {
    const warning = "WARNING: Calculated CRC checksum does not match value stored in file.\n";
    expect(parseControlData(warning + output)).toEqual({
      kind: "unreadable",
      reason: "pg_control is damaged",
    });
  });

  it("names the line that is not there", () => {
    expect(parseControlData(output.replace(/^Database cluster state.*\n/m, ""))).toEqual({
      kind: "unreadable",
      reason: 'pg_controldata shows no "Database cluster state"',
    });
  });
});
