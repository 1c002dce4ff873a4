import { quote } from "shell-quote";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { RemoteFile } from "../model/remote-file.js";
import type { RemoteShell } from "./remote-shell.js";
import type { RemoteRunOptions } from "./transport.js";

/** Configuration files are read into memory; what is larger is none. */
const MAXIMUM_BYTES = 16 * 1024 * 1024;

/**
 * One line for each file: `=mode:owner:group:content` with the content in base64, as the output is text, or `-reason`.
 * Symbolic links are followed.
 */
const READ_FILE = [
  'facts=$(stat -L -c %a:%U:%G:%s -- "$1" 2>&1) || { echo "-${facts##*: }"; return; }',
  'test -f "$1" || { echo "-Not a regular file"; return; }',
  `test "\${facts##*:}" -le ${MAXIMUM_BYTES} || { echo "-File too large"; return; }`,
  'content=$(base64 -- "$1" 2>&1) || { echo "-${content##*: }"; return; }',
  'printf "=%s:" "${facts%:*}"; printf %s "$content" | tr -d "\\n"; echo',
].join("; ");

/** Reads files by one process there, in the order of the paths. Throws SshError, UserError when it cannot be run. */
export async function readRemoteFiles(
  shell: RemoteShell,
  paths: readonly string[],
  options: RemoteRunOptions = {},
): Promise<readonly RemoteFile[]> {
  const script = `LC_ALL=C; export LC_ALL; read_file() { ${READ_FILE}; }; for path in ${quote(paths)}; do read_file "$path"; done`;
  const result = await shell.run(script, options);
  const lines = result.stdout.split("\n");
  if (result.timedOut || result.exitCode !== 0 || lines.length !== paths.length + 1) {
    throw new UserError(exitCodes.badSsh, {
      message: `unable to read files on host "${shell.peer.host}"`,
      detail: result.timedOut ? "no answer in time" : result.stderr.trim() || "the answer is incomplete",
    });
  }
  return paths.map((path, index) => interpretLine(path, lines[index] ?? ""));
}

function interpretLine(path: string, line: string): RemoteFile {
  const [, mode, owner, group, content] = /^=([0-7]+):([^:]*):([^:]*):(.*)$/.exec(line) ?? [];
  if (mode === undefined || owner === undefined || group === undefined || content === undefined) {
    return { kind: "unreadable", path, reason: line.slice(1) };
  }
  return {
    kind: "file",
    path,
    content: Buffer.from(content, "base64"),
    mode: Number.parseInt(mode, 8),
    owner,
    group,
  };
}
