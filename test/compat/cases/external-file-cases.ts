import type { ChangingCase } from "./changing-cases.js";
import { clone, source } from "./clone-cases.js";

/** Where n1 keeps its configuration in the state of the following cases; `postgres` may write there on n5, too. */
export const externalDirectory = "/srv/settings";
const copyFiles = `${source} -c --copy-external-config-files`;
const emptyDirectory = `rm -rf ${externalDirectory}/*`;
const withFolder = `${emptyDirectory}; mkdir ${externalDirectory}/conf.d`;
const copying = (line: string, prepare: string): ChangingCase =>
  clone(line, {
    prepare,
    inspect: `for name in ${externalDirectory}/{,conf.d}/*.conf /cluster/data/{pg_hba,pg_ident,more}.conf; do stat -c '%n %A %U:%G' $name && cksum < $name; done`,
  });

/** Configuration outside the data directory, copied by SSH. */
export const externalFileCases: readonly ChangingCase[] = [
  copying(copyFiles, withFolder),
  copying(`${copyFiles}=samepath --dry-run`, withFolder),
  copying(`${copyFiles}=samepath`, `${withFolder}; echo mine > ${externalDirectory}/pg_ident.conf`),
  copying(`${copyFiles}=samepath`, emptyDirectory),
  copying(`${copyFiles}=pgdata`, "mkdir -p /cluster/data"),
  copying(`${copyFiles}=pgdata`, emptyDirectory),
];
