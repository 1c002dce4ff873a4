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

# The mirror that apt itself uses.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ') || true
for suite in "${@:-bookworm}"; do
  image=debian:$suite-slim
  docker image inspect "$image" >/dev/null 2>&1 && continue
  timeout 60 docker pull -q "$image" >&2 2>/dev/null && continue
  say "making the image $image with debootstrap"
  root=$directory/root-$suite
  rm -rf "$root"
  # Suites newer than this debootstrap are made like Debian's unstable.
  scripts=/usr/share/debootstrap/scripts
  [ -e "$scripts/$suite" ] || ln -s sid "$scripts/$suite"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "${mirror:?apt has no Debian mirror}" \
    >"$directory/debootstrap-$suite.log" 2>&1 || { tail -n 20 "$directory/debootstrap-$suite.log" >&2; exit 1; }
  tar -C "$root" -c . | docker import - "$image" >/dev/null
  rm -rf "$root"
done
echo "export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}"
