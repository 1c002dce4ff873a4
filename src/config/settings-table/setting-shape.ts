import type { DurationUnit } from "../../model/duration.js";
import type { TablespaceMapping } from "../../model/tablespace-mapping.js";

/**
 * When a running daemon takes a changed value: `yes` on SIGHUP, `re-register` once the node is registered again
 * (the value lives in `repmgr.nodes`), `no` when it starts again. Commands read every value afresh.
 */
export type Reloadable = "yes" | "re-register" | "no";

interface CommonShape {
  readonly reloadable: Reloadable;
  /** One line for the settings reference. */
  readonly help: string;
  readonly required?: true;
  /** Where the default comes from when it depends on another setting. */
  readonly defaultNote?: string;
}

interface IntegerShape extends CommonShape {
  readonly type: "integer";
  readonly default: number;
  readonly minimum: number;
  readonly maximum?: number;
  /** Values that switch the function off; `Settings` holds null for them. */
  readonly off?: readonly number[];
  /** What is counted. */
  readonly unit?: string;
}

interface DurationShape extends CommonShape {
  readonly type: "duration";
  /** The unit of a bare number, of `default`, `minimum` and `off`; `Settings` holds milliseconds. */
  readonly unit: DurationUnit;
  readonly default: number;
  readonly minimum: number;
  readonly off?: readonly number[];
}

interface BooleanShape extends CommonShape {
  readonly type: "boolean";
  readonly default?: boolean;
}

/** Text; an empty one means "not set". A path is text that is canonicalised. */
interface TextShape extends CommonShape {
  readonly type: "string" | "path";
  readonly default?: string;
  /** Longest value in bytes; 1023 unless given. */
  readonly limit?: number;
  readonly emptyMeansDefault?: true;
}

/** A delay that is handed to PostgreSQL as it is written, for example `5min`. */
interface DelayShape extends CommonShape {
  readonly type: "delay";
}

interface EnumShape extends CommonShape {
  readonly type: "enum";
  readonly values: readonly string[];
  readonly default: string;
  readonly anyCase?: true;
}

/** Names separated by commas; repeated lines accumulate. */
interface ListShape extends CommonShape {
  readonly type: "list";
}

/** `OLD=NEW` directories; repeated lines accumulate. */
interface MappingShape extends CommonShape {
  readonly type: "mapping";
}

export type SettingShape =
  IntegerShape | DurationShape | BooleanShape | TextShape | DelayShape | EnumShape | ListShape | MappingShape;

/** The type of a setting's value in `Settings`. */
export type ValueOfShape<Shape extends SettingShape> = Shape extends { readonly type: "integer" | "duration" }
  ? Shape extends { readonly off: readonly number[] }
    ? number | null
    : number
  : Shape extends { readonly type: "boolean" }
    ? boolean
    : Shape extends EnumShape
      ? Shape["values"][number]
      : Shape extends ListShape
        ? readonly string[]
        : Shape extends MappingShape
          ? readonly TablespaceMapping[]
          : string;

export type SettingValue =
  number | null | boolean | string | readonly string[] | readonly TablespaceMapping[];

/** A group of settings of one topic, in the order in which they are listed. */
export type SettingGroup = Readonly<Record<string, SettingShape>>;
