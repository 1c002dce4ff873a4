import { version } from "../../package.json";

/** The release of repmgr whose command line, files and schema this program stands in for. */
const REFERENCE_VERSION = "5.5.0";
export const REFERENCE_VERSION_NUMBER = 50500;

/** What `--version` prints: under the reference's name its form first, because scripts parse it. */
export function describeVersion(programName: string): string {
  if (programName.startsWith("tsrepmgr"))
    return `${programName} ${version} (compatible with repmgr ${REFERENCE_VERSION})`;
  return `${programName} ${REFERENCE_VERSION} (tsrepmgr ${version})`;
}
