import type { NodeId } from "./node-record.js";

/** What a switchover leaves in the metadata from its first change to its end, for whoever finds it unfinished. */
export interface SwitchoverTrace {
  /** The standby to promote, on which the command runs. */
  readonly candidate: NodeId;
  readonly formerPrimary: NodeId;
  /** Nodes whose daemons it paused, to be unpaused at the end. */
  readonly paused: readonly NodeId[];
  /** Of the old primary, inside its data directory: a rewind must not replace them. Empty unless it may be rewound. */
  readonly configFiles: readonly string[];
  /** The command line that finishes it or takes it back, on the candidate. */
  readonly command: string;
}
