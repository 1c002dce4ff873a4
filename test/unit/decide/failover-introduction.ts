/** The part of docs/failover.md that is not drawn from the code. */
export const introduction = `# How failover is decided

This page is for administrators who want to know what the daemons do, and why, before they rely on it. The tables at its end
are drawn from the code by \`npx vitest run test/unit/decide/failover-document.test.ts -u\`.

## In short

1. A standby that cannot reach its primary tries \`reconnect_attempts\` times, \`reconnect_interval\` apart.
2. It asks all registered nodes at once. If one of them is the primary of a later term, it follows that one.
3. Otherwise it stands for election: it votes for itself, and asks the daemons of the other nodes for their votes.
4. A voter refuses while it sees the primary itself, while it holds another vote (\`vote_hold\`), and when the candidate's log
   is behind its own. It writes its vote to the state file before it shows it.
5. With the votes of more than half of the *registered* nodes the candidate runs \`promote_command\`. If its server is not
   out of recovery \`vote_timeout\` after the first request, it stops the promotion, restarts the server as a standby, and
   says that it has given up.
6. The new primary's first write is its term and a record of the promotion. The others look for it and follow.
7. An old primary that comes back finds the record of a later term and stops itself (\`fence_on\`); with \`auto_rejoin\` it
   becomes a standby of its successor.

Who goes first: the later term in the log, then the further LSN, then the higher \`priority\`, then the lower node id.
A vote that does not come about is asked for again after 0.2 to 1 s, doubled each time up to \`election_rerun_interval\`.

## Who counts

Each registered node has two votes, whether \`active\` or not; if the number of nodes is even, a witness has three. One or
two nodes cannot have a majority: there the rule is that of repmgr, a standby alone promotes itself. With \`failover_quorum=strict\`
it never does; with \`visible\` repmgr's rule holds for any number of nodes. A node that is gone for good is to be
unregistered: as long as it is registered, it counts.

## What is promised, and what is not

| mode | promised | not promised |
| --- | --- | --- |
| two nodes | one primary when the connection is back | while it is cut both may be primaries, and what the loser wrote is lost |
| three or more votes | no two winners of one term; a minority never promotes | an old primary that is cut off or frozen accepts writes until it sees its successor |
| with \`primary_isolation_timeout\` | two servers do not accept writes at the same time | a whole server that freezes and thaws again may answer for a tenth of a second |
| \`sync_mode=quorum\` | no acknowledged row is lost by a failover | rows whose commit was cancelled with a warning; sessions that lower \`synchronous_commit\` |

The state file has to survive a restart, and nobody may promote outside of the tool: a server that was promoted by hand is
reported, and neither followed nor stopped. A standby's WAL receiver connects by itself to the host that its configuration
names, before any daemon has looked: that host being promoted without a record, and then rewound, is beyond these rules.

These rules run as they are in a simulation: thousands of random histories of cut links, lost messages, frozen and killed
servers and daemons, slow and failing commands. Each promise above is asserted in it, and each rule was taken away once, to
see that the simulation finds what happens without it (\`test/scenario/failover\`).

## The states

A daemon that starts looks at its own server, and begins as a standby, a primary or a witness. What is not in a table
changes nothing.`;
