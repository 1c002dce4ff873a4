import type { NodeRecord, NodeType } from "../model/node-record.js";

/** The words and the order of Nagios; the exit code of a single check is the place in this order. */
export const checkStatuses = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;

export type CheckStatus = (typeof checkStatuses)[number];

interface NodeReference {
  readonly id: number;
  readonly name: string;
}

interface Limits {
  readonly warning: number;
  readonly critical: number;
}

/** What each check saw, under the name of its option; the members of `measured` in JSON. */
interface Measurements {
  readonly role: {
    readonly registered: NodeType;
    readonly running: "primary" | "standby";
    readonly expected: NodeType | null;
  };
  readonly "replication-lag": Limits & { readonly seconds: number | null };
  readonly "archive-ready": Limits & { readonly files: number | null };
  readonly upstream: { readonly upstream: NodeReference | null; readonly attached: boolean | null };
  readonly downstream: {
    readonly attached: readonly NodeReference[];
    readonly missing: readonly NodeReference[];
  };
  readonly slots: { readonly physical: number; readonly inactive: readonly string[] };
  readonly "missing-slots": { readonly missing: readonly string[] };
  readonly "data-directory-config": { readonly configured: string; readonly actual: string | null };
  readonly repmgrd: { readonly running: boolean; readonly paused: boolean };
  readonly "replication-config-owner": { readonly matches: boolean };
  readonly "db-connection": { readonly connected: boolean };
}

export type CheckName = keyof Measurements;

/** One check: `details` is the text that people read, `measured` what it was judged by. */
export type CheckFinding<Name extends CheckName = CheckName> = {
  readonly [N in Name]: {
    readonly check: N;
    readonly status: CheckStatus;
    readonly details: string;
    readonly measured: Measurements[N];
  };
}[Name];

export const referTo = ({ nodeId, nodeName }: NodeRecord): NodeReference => ({ id: nodeId, name: nodeName });
