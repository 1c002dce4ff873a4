import type { Database } from "../postgres/database.js";

/**
 * Makes sure that the one row is there. An existing term stays: repmgr sets it back to 1 on every registration of a
 * primary, and a term that goes backwards lets two elections carry the same number.
 */
export async function ensureVotingTerm(database: Database): Promise<void> {
  await database.query(
    "INSERT INTO repmgr.voting_term (term) SELECT 1 WHERE NOT EXISTS (SELECT FROM repmgr.voting_term)",
  );
}
