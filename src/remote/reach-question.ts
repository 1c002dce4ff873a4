/**
 * How `cluster matrix` and `cluster crosscheck` ask another node whom it can reach: as the reference does, so that either
 * program understands the other. The variable tells ours that nothing else is wanted; two thirds of what the command
 * costs is the state of so many servers, and what it can besides.
 * Ours says with an empty line that the answer is whole, and ends when its standard input does: the end of a process and
 * of all its sessions is work for the hosts that nobody waits for.
 */
export const reachQuestion = {
  args: ["cluster", "show", "--csv", "--terse"],
  variable: "TSREPMGR_REACH_ONLY",
  end: "\n",
} as const;
