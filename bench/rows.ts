/** Whose samples a measurement holds. */
export type Side = "ours" | "node" | "reference" | "pg_basebackup";

export type MeasurementName =
  | ConnectivityName
  | "version"
  | "show-3"
  | "show-20"
  | "show-frozen"
  | "clone"
  | "memory"
  | "switchover"
  | "outage"
  | DaemonMeasurementName;

export type DaemonMeasurementName = "failover" | "failover-fast" | "daemon-memory" | "daemon-cpu";

type ConnectivityName = `${"matrix" | "crosscheck"}-${3 | 6}`;

/** At most `factor` × the median of `base` + `extra`, in the unit of the row. */
export interface Limit {
  readonly base: Exclude<Side, "ours"> | null;
  readonly factor: number;
  readonly extra: number;
}

/** One promise about speed or size. Several rows may judge the same measurement. */
export interface Row {
  readonly title: string;
  readonly measurement: MeasurementName;
  readonly unit: "ms" | "MiB";
  readonly limit: Limit;
}

const times = (base: Limit["base"], factor: number, extra = 0): Limit => ({ base, factor, extra });

/** A value by itself, in the unit of the row. */
const atMost = (extra: number): Limit => ({ base: null, factor: 0, extra });

const connectivity = (count: string, measurement: ConnectivityName, factor: number): readonly Row[] => [
  {
    title: `\`cluster ${measurement.replace(/-\d$/, "")}\`, ${count} nodes`,
    measurement,
    unit: "ms",
    limit: times("reference", factor),
  },
];

export const rows: readonly Row[] = [
  { title: "`--version`", measurement: "version", unit: "ms", limit: times("node", 1.25) },
  {
    title: "`cluster show`, three healthy nodes",
    measurement: "show-3",
    unit: "ms",
    limit: times("node", 1.6),
  },
  {
    title: "`cluster show`, twenty nodes",
    measurement: "show-20",
    unit: "ms",
    limit: times("reference", 1),
  },
  {
    title: "`cluster show`, one of three frozen",
    measurement: "show-frozen",
    unit: "ms",
    limit: times("reference", 0.6),
  },
  ...connectivity("three", "matrix-3", 0.5),
  ...connectivity("three", "crosscheck-3", 0.5),
  ...connectivity("six", "matrix-6", 0.25),
  ...connectivity("six", "crosscheck-6", 0.25),
  {
    title: "`standby clone` of 1 GB",
    measurement: "clone",
    unit: "ms",
    limit: times("pg_basebackup", 1.03, 500),
  },
  { title: "`standby clone` of 1 GB", measurement: "clone", unit: "ms", limit: times("reference", 1) },
  {
    title: "`standby switchover`, three nodes, the whole command",
    measurement: "switchover",
    unit: "ms",
    limit: atMost(2000),
  },
  {
    title: "`standby switchover`, three nodes, the whole command",
    measurement: "switchover",
    unit: "ms",
    limit: times("reference", 0.5),
  },
  {
    title: "`standby switchover`, three nodes, time without commits",
    measurement: "outage",
    unit: "ms",
    limit: atMost(300),
  },
  {
    title: "`standby switchover`, three nodes, time without commits",
    measurement: "outage",
    unit: "ms",
    limit: times("reference", 0.5),
  },
  {
    title: "failover after `kill -9` of the server, 3 × 1 s, time without commits",
    measurement: "failover",
    unit: "ms",
    limit: times("reference", 1),
  },
  {
    title: "the same with `reconnect_interval='100ms'`",
    measurement: "failover-fast",
    unit: "ms",
    limit: atMost(1000),
  },
  {
    title: "peak memory of an idle daemon",
    measurement: "daemon-memory",
    unit: "MiB",
    limit: atMost(80),
  },
  {
    title: "CPU time of an idle daemon in a minute",
    measurement: "daemon-cpu",
    unit: "ms",
    limit: atMost(600),
  },
  {
    title: "peak memory of `cluster show`",
    measurement: "memory",
    unit: "MiB",
    limit: atMost(90),
  },
];
