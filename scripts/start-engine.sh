#!/bin/sh
# Starts a Docker engine by hand where none answers (root, Debian; no service) and makes the base images where no
# registry can be asked for them. Usage: eval "$(scripts/start-engine.sh [SUITE ...])", SUITE bookworm by default.
# Prints the exports to eval; what it does goes to standard error. scripts/stop-engine.sh ends the engine again.
set -eu
directory=${TSREPMGR_ENGINE_DIRECTORY:-/tmp/tsrepmgr-engine}
say() { echo "$*" >&2; }

missing=
command -v dockerd >/dev/null || missing="$missing docker.io cgroupfs-mount apparmor"
command -v debootstrap >/dev/null || missing="$missing debootstrap"
if [ -n "$missing" ]; then
  node "$(dirname "$0")/install-debian-packages.mjs" $missing >&2
fi

mkdir -p "$directory"
answers() { docker info >/dev/null 2>&1; }
if ! answers; then
  DOCKER_HOST=unix://$directory/docker.sock
  export DOCKER_HOST
fi
if ! answers; then
  mountpoint -q /sys/fs/cgroup || cgroupfs-mount
  say "starting a Docker engine in $directory"
  setsid dockerd --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/pid" \
    -H "$DOCKER_HOST" >"$directory/log" 2>&1 </dev/null &
  tries=0
  until answers; do
    tries=$((tries + 1))
    if [ "$tries" -gt 120 ]; then
      say "the engine does not answer; the end of its log:"
      tail -n 20 "$directory/log" >&2
      exit 1
    fi
    sleep 0.5
  done
fi

sh "$(dirname "$0")/../docker/make-base-image.sh" "${@:-bookworm}" >&2
echo "export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}"
