import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure } from "./attempt-failure.js";
import { refuseParameter } from "./connection-error.js";
import type { StartedSession } from "./start-session.js";

const wishes = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;
export type SessionWish = (typeof wishes)[number];

export function readSessionWish(conninfo: Conninfo): SessionWish {
  const text = conninfo.get("target_session_attrs") ?? "any";
  const wish = wishes.find((known) => known === text);
  if (wish === undefined) throw refuseParameter(`invalid target_session_attrs value: "${text}"`);
  return wish;
}

/** Throws AttemptFailure, in libpq's words, when the server is not of the wished kind. */
export async function checkSessionWish(session: StartedSession, wish: SessionWish): Promise<void> {
  if (wish === "any") return;
  const isStandby = await readFlag(
    session,
    "in_hot_standby",
    "SELECT pg_catalog.pg_is_in_recovery() AS value",
  );
  const isReadOnly =
    isStandby ||
    (await readFlag(session, "default_transaction_read_only", "SHOW default_transaction_read_only"));
  const refusal = {
    "read-write": isReadOnly ? "session is read-only" : null,
    "read-only": isReadOnly ? null : "session is not read-only",
    primary: isStandby ? "server is in hot standby mode" : null,
    standby: isStandby ? null : "server is not in hot standby mode",
    "prefer-standby": isStandby ? null : "server is not in hot standby mode",
  }[wish];
  if (refusal !== null) throw new AttemptFailure("wrong-session", refusal);
}

/** Servers from 14 on report these; older ones have to be asked. */
async function readFlag(session: StartedSession, parameter: string, question: string): Promise<boolean> {
  const reported = session.parameters.get(parameter);
  if (reported !== undefined) return reported === "on";
  const { rows } = await session.client.query<Record<string, unknown>>(question);
  const value = Object.values(rows[0] ?? {})[0];
  return value === true || value === "on";
}
