/** The part of docs/failover.md that is not drawn from the code. */
export const introduction = `# How failover is decided

This page is for administrators who want to know what the daemons do, and why, before they rely on it. The tables at its end
are drawn from the code by \`npx vitest run test/unit/decide/failover-document.test.ts -u\`.

## In short

1. A standby that cannot reach its primary tries \`reconnect_attempts\` times, \`reconnect_interval\` apart. Between two checks
   it asks its open session for a sign of life, so that silence is noticed in a quarter of \`monitor_interval_secs\`, in half
   of it below two seconds; the last attempt takes no longer than a few of the checks before.
2. It asks all registered nodes at once. If one of them is the primary of a later term, it follows that one.
3. Otherwise it stands for election: it votes for itself, and asks the daemons of the other nodes for their votes.
4. A voter refuses while it sees the primary itself, while it holds another vote (\`vote_hold\`), and when the candidate's log
   is behind its own; unless it cannot stand itself (priority 0, \`failover=manual\`, its replay still pending at the third
   attempt) and is ahead by no more than what a dying primary may have had in flight, 16 MB. It writes its vote to the
   state file before it shows it.
5. With the votes of more than half of the *registered* nodes the candidate runs \`promote_command\`. If its server is not
   out of recovery \`vote_timeout\` after the first request, it stops the promotion, restarts the server as a standby, and
   says that it has given up.
6. The new primary's first write is its term and a record of the promotion. The others look for it and follow.
7. An old primary that comes back finds the record of a later term and stops itself (\`fence_on\`); with \`auto_rejoin\` it
   becomes a standby of its successor.

Who goes first: the later term in the log, then the further LSN, then the higher \`priority\`, then the lower node id.
A node stands aside for a better one that is willing, and for one that asks for votes already and lacks nothing of the log. Of
two that ask at the same time the worse one gives way every other time, and three times of four where the better one has more of the log
or a vote of somebody else; a better one that does not get all the votes must not stop all others.
A vote that does not come about is asked for again after 0.2 to 1 s, doubled each time up to \`election_rerun_interval\`; not
later than the first such pause after \`vote_hold\`, when those are free who had voted for a candidate that died. An attempt
that the own rules forbid, while a lease may be running or the own vote is held, is no failed one.

## Who counts

Each registered node has two votes, whether \`active\` or not; if the number of nodes is even, a witness has three. One or
two nodes cannot have a majority: there the rule is that of repmgr, a standby alone promotes itself. With \`failover_quorum=strict\`
it never does; with \`visible\` repmgr's rule holds for any number of nodes. A node that is gone for good is to be
unregistered: as long as it is registered, it counts.

## The isolation time-out

With \`primary_isolation_timeout\` a primary leaves a counter with the daemon of each other node, several times in that time,
and reads it back. Only an echo counts: the primary may be writable for the time-out after it *sent* the newest counter that
a majority has echoed, and no voter gives a vote to another node before the time-out after it *heard* one.

A session inside the server stops it when that time is over, and so it is stopped while the daemon is dead or frozen, too:
SIGQUIT, after \`standby.signal\` was written and \`primary_conninfo\` emptied, so that it comes up again as a standby of nobody.
Where the user of \`conninfo\` is not a member of \`pg_execute_server_program\`, a process beside the server does the same; a
service manager must not end it with the daemon (\`KillMode=process\`, as in our units). It goes by a clock that nobody can
set; the session goes by the clock of the host, and is replaced by the daemon when that is set back. \`service status\` says
whether the time-out is armed, and why not.

A daemon that is stopped for good takes its primary with it, unless the daemons were paused before (\`service pause\`): then
nothing is stopped, and nobody is elected. Two nodes need a witness. The setting has to be equal on all nodes.

## Servers without room

Daemons keep their sessions open in quiet times: on each server two of each other daemon, three of the primary's with
\`primary_isolation_timeout\`, and a handful of its own. While applications take all other connections the lease is renewed,
and votes are asked for and given. What needs a new session has to wait: one that was lost, the promotion of that server
itself, a standby that is to follow. A daemon that has lost the sessions on its own server gives no vote and echoes no lease until
one is free; \`service status\` shows it as missing. So keep some back: a superuser in \`conninfo\` has
\`superuser_reserved_connections\`, a member of \`pg_use_reserved_connections\` has \`reserved_connections\` of PostgreSQL 16.

A connection pooler in a \`conninfo\` takes these sessions away: it has several clients share one. A node that is reached through
one is shown as not armed, whatever the pool mode; it gets no vote, none of its votes are counted, and its own daemon does not
start. \`doctor\` names it. What only passes the bytes on is no pooler, and is not noticed.

## What is promised, and what is not

| mode | promised | not promised |
| --- | --- | --- |
| two nodes | one primary when the connection is back | while it is cut both may be primaries, and what the loser wrote is lost |
| three or more votes | no two winners of one term; a minority never promotes | an old primary that is cut off or frozen accepts writes until it sees its successor |
| with \`primary_isolation_timeout\` | two servers do not accept writes at the same time | a whole server that freezes and thaws again may answer for a tenth of a second |
| [\`sync_mode=quorum\`](synchronous-mode.md) | no acknowledged row is lost by a failover | rows whose commit was cancelled with a warning; sessions that lower \`synchronous_commit\` |
| [\`sync_mode=preferred\`](synchronous-mode.md#to-go-on-with-one-node) | the same, and commits go on with one of two nodes | while they do, the disk of that node; nobody is promoted then |

The state file has to survive a restart. A daemon that starts gives no vote for \`vote_hold\`, whatever it finds: a lost file
may have had a vote in it. One that runs writes a removed file again, and where it cannot, gives no vote and is shown as not
armed. Nobody may promote outside of the tool: a server that was promoted by hand is
reported, and neither followed nor stopped. A standby's WAL receiver connects by itself to the host that its configuration
names, before any daemon has looked: that host being promoted without a record, and then rewound, is beyond these rules.

These rules run as they are in a simulation: thousands of random histories of cut links, lost messages, frozen and killed
servers and daemons, slow and failing commands. Each promise above is asserted in it, and each rule was taken away once, to
see that the simulation finds what happens without it (\`test/scenario/failover\`).

## The states

A daemon that starts looks at its own server, and begins as a standby, a primary or a witness. What is not in a table
changes nothing.`;
