import type { DoctorFacts, NodeFacts, ServerFacts } from "../../src/decide/doctor/facts.js";
import { examineCluster } from "../../src/decide/doctor/examine.js";
import { isProblem, type DoctorRow } from "../../src/decide/doctor/report.js";
import {
  doctorFacts,
  doctorSettings,
  hostFacts,
  nodeFacts,
  serverFacts,
  slotFacts,
  standbyConninfo,
} from "./doctor-facts.js";

export type ServerSettings = Readonly<Record<string, string>>;

export const problemsOf = (facts: DoctorFacts): readonly DoctorRow[] =>
  examineCluster(facts).filter(isProblem);
export const codesOf = (facts: DoctorFacts): readonly string[] =>
  examineCluster(facts).flatMap(({ nodeName, code, status }) =>
    code === null ? [] : [`${nodeName} ${status} ${code}`],
  );

export const withNodes = (...nodes: readonly NodeFacts[]): DoctorFacts => doctorFacts({ nodes });

/** The primary with other settings or facts; its standby as it was. */
export const primaryWith = (values: Partial<ServerFacts> & { readonly set?: ServerSettings }): DoctorFacts =>
  withNodes(
    nodeFacts(1, {
      server: serverFacts({
        slots: [slotFacts()],
        walSenders: [{ name: "node2", state: "streaming" }],
        ...values,
      }),
    }),
    nodeFacts(2),
  );

export const standbySet = { primary_conninfo: standbyConninfo, primary_slot_name: "repmgr_slot_2" };

export const standbyWith = (values: Partial<ServerFacts> & { readonly set?: ServerSettings }): DoctorFacts =>
  withNodes(
    nodeFacts(1),
    nodeFacts(2, {
      server: serverFacts({
        inRecovery: true,
        identity: "1795226042.5/5432",
        ...values,
        set: { ...standbySet, ...values.set },
      }),
    }),
  );

export const refused = (reason: string, hint: string | null = null) =>
  ({ kind: "failed", reason, hint }) as const;

export const down = (id: number, values: Partial<NodeFacts> = {}): NodeFacts =>
  nodeFacts(id, {
    connection: refused("Connection refused", "start the server"),
    replication: refused("Connection refused", "start the server"),
    server: null,
    ...values,
  });

export const directory = {
  kind: "directory",
  realPath: "/data",
  entries: ["PG_VERSION"],
  isDataDirectory: true,
  isWritable: true,
  isOwn: true,
  serverPid: 42,
} as const;

export const absent = { kind: "absent", ancestor: "/", isAncestorWritable: false } as const;

export const promoted = serverFacts({ identity: "1795226042.5/5432", walSenders: [], slots: [] });

export const conf = (values: Parameters<typeof doctorSettings>[0]): DoctorFacts =>
  doctorFacts({ settings: doctorSettings(values) });
export const host = (values: Parameters<typeof hostFacts>[0]): DoctorFacts =>
  doctorFacts({ host: hostFacts(values) });
export const local = (values: Partial<NodeFacts>): DoctorFacts =>
  withNodes(nodeFacts(1, values), nodeFacts(2));
