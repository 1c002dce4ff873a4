#!/bin/sh
":" /*
# sh reads this part, Node starts below it. cron, sudo, ssh and systemd have a PATH without the directory that Node
# was installed in, so Node is looked for beside the program and its links first.
found() { [ -f "$1" ] && [ -x "$1" ]; }
find_node() {
  node=$TSREPMGR_NODE
  [ -n "$node" ] && return
  file=$0
  while :; do
    directory=${file%/[!/]*}
    node=$directory/node
    found "$node" && return
    node=${directory%/lib/node_modules/tsrepmgr/bin}/bin/node
    found "$node" && return
    [ -L "$file" ] || break
    target=$(PATH=$PATH:/usr/bin:/bin readlink "$file")
    case $target in /*) file=$target ;; *) file=$directory/$target ;; esac
  done
  for node in node nodejs; do
    command -v "$node" >/dev/null && return
  done
  node=
  for candidate in "$HOME"/.asdf/installs/nodejs/*"/bin/node" "$HOME"/.local/share/mise/installs/node/*"/bin/node" \
    "$HOME"/.local/share/fnm/node-versions/*"/installation/bin/node" "$HOME"/.volta/tools/image/node/*"/bin/node" \
    "$HOME"/.nvm/versions/node/*"/bin/node" /opt/node*"/bin/node" /usr/local/lib/nodejs/*"/bin/node" \
    /usr/bin/nodejs /usr/bin/node /usr/local/bin/node; do
    found "$candidate" && node=$candidate
  done
}
find_node
if [ -z "$node" ]; then
  echo "${0##*[/]}: no Node.js beside the program, on PATH or in the usual places; set TSREPMGR_NODE to its path" >&2
  exit 127
fi
# Node parses these certificates whenever it starts, for longer than a command takes. Only the programs that we start
# may need them: they have them again below.
if [ -n "$NODE_EXTRA_CA_CERTS" ]; then
  TSREPMGR_KEPT_CA_CERTS=$NODE_EXTRA_CA_CERTS
  export TSREPMGR_KEPT_CA_CERTS
  unset NODE_EXTRA_CA_CERTS
fi
# The first process of a container inherits whatever a command or PostgreSQL leaves behind. Node reaps only what it has
# started itself, sh whatever ends while it waits. In a session of its own the daemon gets a terminal's Ctrl-C from here only.
run_below() {
  $(command -v setsid) "$node" "$0" "$@" <&0 &
  daemon=$!
  for signal in HUP INT QUIT TERM USR1 USR2; do trap "kill -s $signal $daemon 2>/dev/null" "$signal"; done
  # A signal ends `wait` early.
  while wait "$daemon"; exit_code=$?; kill -s 0 "$daemon" 2>/dev/null; do :; done
  exit "$exit_code"
}
[ -n "$is_daemon" ] && [ $$ -eq 1 ] && run_below "$@"
exec "$node" "$0" "$@"
*/;

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node.js 20.19 or newer is needed, ${process.execPath} is ${process.versions.node}`);
}

const { TSREPMGR_KEPT_CA_CERTS: keptCertificates } = process.env;
if (keptCertificates) {
  process.env.NODE_EXTRA_CA_CERTS = keptCertificates;
  delete process.env.TSREPMGR_KEPT_CA_CERTS;
}

const { basename, join } = require("node:path");
// The daemon's launcher takes this file over and is the main module then.
const entry = join(__dirname, "../dist", `${basename(require.main.filename, ".js")}.cjs`);

loadProgram()
  .main(process.argv)
  .then((exitCode) => {
    process.exitCode = exitCode;
    // What was written leaves first: a reader behind a pipe may be slower than we are.
    process.stdout.write("", () => process.exit());
  });

function loadProgram() {
  try {
    return require(entry);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND" || require("node:fs").existsSync(entry)) throw error;
    fail("the program is not built yet; run `npm run build` in its directory first");
  }
}

function fail(message) {
  process.stderr.write(`${process.argv[1].replace(/.*\//, "")}: ${message}\n`);
  process.exit(1);
}
