/**
 * How `cluster matrix` and `cluster crosscheck` ask another node whom it can reach: as the reference does, so that either
 * program understands the other. The variable tells ours that nothing else is wanted; two thirds of what the command
 * costs is the state of so many servers, and what it can besides.
 * Our program says with an empty line that the answer is whole: to end it, and all the sessions that it has opened, takes
 * the hosts as long again, so it does that when the connection is closed.
 */
export const reachQuestion = {
  args: ["cluster", "show", "--csv", "--terse"],
  variable: "TSREPMGR_REACH_ONLY",
  end: "\n",
} as const;
