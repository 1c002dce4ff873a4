import type { PrimaryRegistrationFacts } from "../../../decide/register-primary.js";
import { listNodes } from "../../../metadata/nodes.js";
import { readSchemaState } from "../../../metadata/schema-state.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import type { CommandContext } from "../../define-command.js";
import { mayCreateSchema } from "../../prepare-schema.js";
import { readServerRole } from "../../read-server-role.js";

export interface Participants {
  readonly database: Database;
  readonly schemaOwner: Database;
  readonly record: NodeRecord;
}

export async function gatherFacts(
  context: CommandContext,
  { database, schemaOwner, record }: Participants,
): Promise<PrimaryRegistrationFacts> {
  const inRecovery = await isInRecovery(database);
  const schema = await readSchemaState(database);
  const records = schema.exists && schema.missingColumns.length === 0 ? await listNodes(database) : [];
  const other = records.find(
    ({ type, active, nodeId }) => type === "primary" && active && nodeId !== record.nodeId,
  );
  return {
    serverVersion: database.serverVersion,
    inRecovery,
    schema,
    mayCreateSchema: await mayCreateSchema(schemaOwner),
    records,
    registeredPrimaryRole: other === undefined ? null : await readServerRole(context, other),
  };
}
