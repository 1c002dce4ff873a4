#!/bin/sh
# Makes the images debian:SUITE-slim that the engine lacks, with debootstrap (as root) where no registry can be asked.
# Usage: docker/make-base-image.sh [SUITE ...], trixie by default.
set -eu
say() { echo "$*" >&2; }

work=$(mktemp -d "${TMPDIR:-/var/tmp}/base-image-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The mirror that apt itself uses.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ') || true
for suite in "${@:-trixie}"; do
  image=debian:$suite-slim
  docker image inspect "$image" >/dev/null 2>&1 && continue
  timeout 60 docker pull -q "$image" >&2 2>/dev/null && continue
  if ! command -v debootstrap >/dev/null; then
    say "no registry has $image, and debootstrap is missing: apt-get install -y debootstrap"
    exit 1
  fi
  say "making the image $image with debootstrap"
  # Suites newer than this debootstrap are made like Debian's unstable.
  script=/usr/share/debootstrap/scripts/$suite
  [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
  if ! debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/$suite" \
    "${mirror:?apt has no Debian mirror}" "$script" >"$work/log"; then
    tail -n 20 "$work/log" >&2
    exit 1
  fi
  tar -C "$work/$suite" -c . | docker import - "$image" >/dev/null
  rm -rf "${work:?}/$suite"
done
