import type { NodeHealth } from "../../../decide/cluster-health.js";
import type { Tone } from "../../../output/palette.js";

/** How the sign before a status or an upstream is to be taken. */
const tones: Readonly<
  Record<NodeHealth["status"]["marker"] | NodeHealth["upstream"]["marker"], Tone | null>
> = {
  "*": "good",
  " ": "good",
  "": null,
  "?": "doubtful",
  "!": "bad",
  "-": "bad",
};

export const statusTone = ({ status }: NodeHealth): Tone | null => tones[status.marker];

export const upstreamTone = ({ upstream }: NodeHealth): Tone | null => tones[upstream.marker];
