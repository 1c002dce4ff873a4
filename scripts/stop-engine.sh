#!/bin/sh
# Ends the engine that start-engine.sh started, with its containers, and removes its data; leaves any other alone.
set -u
directory=${TSREPMGR_ENGINE_DIRECTORY:-/tmp/tsrepmgr-engine}
[ -s "$directory/pid" ] || exit 0
DOCKER_HOST=unix://$directory/docker.sock
export DOCKER_HOST
docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1
# Their bridges would outlive it, and take the traffic of the next engine's networks.
docker network prune -f >/dev/null 2>&1
pid=$(cat "$directory/pid")
kill "$pid" 2>/dev/null
tries=0
while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 60 ]; do
  tries=$((tries + 1))
  sleep 0.5
done
# The engine mounts its data on itself, and does not always take that back.
if mountpoint -q "$directory/data"; then umount "$directory/data"; fi
rm -rf "$directory"
