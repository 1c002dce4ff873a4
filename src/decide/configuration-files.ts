import { posix } from "node:path";
import type { Problem } from "../model/problem.js";
import type { RemoteFile } from "../model/remote-file.js";
import type { CloneProblem, CloneRequest } from "./clone-facts.js";

/** Where `--copy-external-config-files` puts the files: at the path of the source, or into the data directory. */
export type ConfigurationPlacement = "samepath" | "pgdata";

/** What lies at the place to which a configuration file goes. */
export interface FileDestination {
  readonly path: string;
  readonly state: "absent" | "same" | "different";
  /** Why no file can be put there. */
  readonly obstacle: string | null;
}

/** What came of looking for the configuration files of the source; null when they are not wanted. */
export type ConfigurationFilesFacts =
  | { readonly kind: "not-visible"; readonly user: string }
  | { readonly kind: "unreachable"; readonly problem: Problem }
  | {
      readonly kind: "found";
      readonly files: readonly { readonly source: RemoteFile; readonly destination: FileDestination }[];
    };

type ReadableFile = Extract<RemoteFile, { readonly kind: "file" }>;

/** A file that is put in place, with its content, which was read before anything was changed. */
export interface ConfigurationFileCopy {
  readonly source: ReadableFile;
  readonly destination: FileDestination;
}

type Facts = ConfigurationFilesFacts | null;
type Request = Pick<CloneRequest, "dataDirectory" | "force" | "programName" | "configurationPlacement">;

/** The path on this host of a configuration file of the source (reference: repmgr 5.5, copy of external files). */
export function placeConfigurationFile(path: string, request: Request): string {
  return request.configurationPlacement === "pgdata"
    ? posix.join(request.dataDirectory, posix.basename(path))
    : path;
}

/** Reasons not to clone; those about single files are overruled by `--force`, as in the reference. */
export function judgeConfigurationFiles(facts: Facts, request: Request): readonly CloneProblem[] {
  if (facts?.kind === "not-visible") {
    return [
      {
        kind: "prerequisite",
        message: `user "${facts.user}" may not see the configuration files of the source node`,
        hint: `grant the right on the primary: GRANT pg_read_all_settings TO ${facts.user}; or provide a superuser with -S/--superuser`,
      },
    ];
  }
  if (facts?.kind === "unreachable") return [{ kind: "prerequisite", ...facts.problem }];
  if (request.force) return [];
  return findFileProblems(facts).map((problem) => ({ kind: "configuration-file", ...problem }));
}

/** What the user should know of the files, and with `--force` what is wrong with them. */
export function warnAboutConfigurationFiles(facts: Facts, request: Request): readonly Problem[] {
  const problems = request.force ? findFileProblems(facts) : [];
  const skipped = problems.map(({ message, detail }) => ({
    message: `${message}; it is not copied`,
    ...(detail === undefined ? {} : { detail }),
  }));
  return [...skipped, ...listCopies(facts).flatMap(({ source }) => warnAboutDataDirectory(source, request))];
}

/** The files that can be copied and are not there yet. */
export function listCopies(facts: Facts): readonly ConfigurationFileCopy[] {
  if (facts?.kind !== "found") return [];
  const taken = new Set<string>();
  return facts.files.flatMap(({ source, destination }) => {
    const isFirst = !taken.has(destination.path);
    taken.add(destination.path);
    const isCopied = isFirst && destination.obstacle === null && destination.state !== "same";
    return source.kind === "file" && isCopied ? [{ source, destination }] : [];
  });
}

function findFileProblems(facts: Facts): readonly Problem[] {
  if (facts?.kind !== "found") return [];
  const placed = new Map<string, string>();
  return facts.files.flatMap(({ source, destination }): readonly Problem[] => {
    const { path } = source;
    if (source.kind === "unreadable") {
      return [
        {
          message: `unable to read configuration file "${path}" on the source node`,
          detail: source.reason,
          hint: "the user of the SSH connection (-R/--remote-user) must be able to read it there",
        },
      ];
    }
    const other = placed.get(destination.path);
    placed.set(destination.path, path);
    if (other !== undefined) {
      return [
        {
          message: `configuration file "${path}" has the same name as "${other}"`,
          detail: `both would become "${destination.path}"`,
          hint: "use --copy-external-config-files=samepath",
        },
      ];
    }
    if (destination.obstacle === null || destination.state === "same") return [];
    return [
      {
        message: `unable to write configuration file "${destination.path}"`,
        detail: destination.obstacle,
        hint: "give this user the right to write there, or use --copy-external-config-files=pgdata",
      },
    ];
  });
}

/** Distributions set it in postgresql.conf: the standby would be started on the wrong directory. */
function warnAboutDataDirectory({ path, content }: ReadableFile, request: Request): readonly Problem[] {
  const text = Buffer.from(content).toString("latin1");
  const lines = [...text.matchAll(/^[ \t]*data_directory[ \t]*=?[ \t]*'((?:[^'\n]|'')*)'/gim)];
  const value = lines.at(-1)?.[1]?.replace(/\/+$/, "");
  if (value === undefined || value === request.dataDirectory) return [];
  return [
    {
      message: `"${path}" sets "data_directory" to "${value}"`,
      detail: `the data directory of this standby is "${request.dataDirectory}"`,
      hint: `change it in "${placeConfigurationFile(path, request)}" before starting the server`,
    },
  ];
}
