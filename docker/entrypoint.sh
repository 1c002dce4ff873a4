#!/bin/bash
# Runs one node of compose.yml as root: makes it at the first start, later only starts its server; then shows its log.
#   NODE_ROLE      primary, standby, witness, or spare (nothing is made: clone it yourself)
#   NODE_ID        node_id of repmgr.conf; node_name is the host name
#   CLUSTER_NODES  host names of the nodes that may be the primary
#   PGDATA         data directory, below the volume /var/lib/postgresql/data
#   REPMGR_PASSWORD_FILE  holds the password of the role "repmgr"; without it one is made at the first start
set -euo pipefail
: "${NODE_ROLE:?}" "${NODE_ID:?}" "${CLUSTER_NODES:?}" "${PGDATA:?}"
cd /

name=$(hostname)
shared=/var/lib/tsrepmgr
unfinished=$(dirname "$PGDATA")/unfinished
log=/var/log/postgresql/postgresql.log
bin_directory=$(echo /usr/lib/postgresql/*/bin)

say() { echo "$name: $*"; }

refuse() {
  say "refused: $*" >&2
  exit 1
}

# --reset-env: libpq looks for .pgpass in HOME.
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups --reset-env -- "$@"; }

ask() { as_postgres psql -XAtq -d "host=$1 user=repmgr dbname=repmgr connect_timeout=2" -c "$2" 2>/dev/null; }

stop_server() {
  trap '' TERM INT
  if [ -s "$PGDATA/postmaster.pid" ]; then
    as_postgres "$bin_directory/pg_ctl" -D "$PGDATA" -m fast -w -t 50 stop || true
  fi
  note_timeline
  # Let tail show the last lines.
  sleep 0.3
}

timeline() {
  "$bin_directory/pg_controldata" "$PGDATA" 2>/dev/null | sed -n "s/^Latest checkpoint's TimeLineID: *//p"
}

# The witness has timelines of its own.
note_timeline() {
  [ "$NODE_ROLE" != witness ] && [ -e "$PGDATA/global/pg_control" ] || return 0
  mkdir -p "$shared/timelines"
  timeline >"$shared/timelines/$name"
}

# Made by the node that comes first, and by no image: the SSH keys and the password that all nodes share.
make_secrets() {
  local key
  umask 077
  for key in id_ed25519 ssh_host_ed25519_key; do
    [ -s "$shared/$key.pub" ] && continue
    rm -f "$shared/$key"
    ssh-keygen -q -t ed25519 -N "" -C tsrepmgr -f "$shared/$key"
  done
  [ -s "$shared/password" ] && return
  if [ -n "${REPMGR_PASSWORD_FILE:-}" ]; then
    cat "$REPMGR_PASSWORD_FILE"
  else
    head -c 18 /dev/urandom | base64
  fi >"$shared/password.new"
  [ -s "$shared/password.new" ] || refuse "the password is empty"
  mv "$shared/password.new" "$shared/password"
}

install_secrets() {
  local home=~postgres
  install -d -m 700 -o postgres -g postgres "$home/.ssh"
  install -m 600 -o postgres -g postgres "$shared/id_ed25519" "$home/.ssh/id_ed25519"
  install -m 600 -o postgres -g postgres "$shared/id_ed25519.pub" "$home/.ssh/authorized_keys"
  echo "* $(cat "$shared/ssh_host_ed25519_key.pub")" >/etc/ssh/ssh_known_hosts
  install -m 600 -o postgres -g postgres /dev/null "$home/.pgpass"
  echo "*:*:*:repmgr:$(head -n 1 "$shared/password" | sed 's/[\\:]/\\&/g')" >"$home/.pgpass"
}

write_repmgr_conf() {
  [ -e /etc/repmgr.conf ] && return
  cat >/etc/repmgr.conf <<END
node_id=$NODE_ID
node_name='$name'
conninfo='host=$name user=repmgr dbname=repmgr connect_timeout=2'
data_directory='$PGDATA'
pg_bindir='$bin_directory'
pg_ctl_options='-l $log'
END
}

find_primary() {
  local host
  local question="SELECT 1 FROM repmgr.nodes WHERE type = 'primary' AND active AND NOT pg_is_in_recovery()"
  for host in $CLUSTER_NODES; do
    [ "$host" = "$name" ] && continue
    if [ "$(ask "$host" "$question AND node_name = '$host'")" = 1 ]; then
      echo "$host"
      return
    fi
  done
}

wait_for_primary() {
  primary=$(find_primary)
  [ -n "$primary" ] || say "waiting for a registered primary among: $CLUSTER_NODES"
  until [ -n "$primary" ]; do
    sleep 0.5
    primary=$(find_primary)
  done
}

start_server() { as_postgres "$bin_directory/pg_ctl" -D "$PGDATA" -l "$log" -w -t 600 start >/dev/null; }

initialise() {
  as_postgres "$bin_directory/initdb" -D "$PGDATA" --data-checksums --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=peer --auth-host=scram-sha-256 >/dev/null
  cat >>"$PGDATA/postgresql.conf" <<END
listen_addresses = '*'
password_encryption = 'scram-sha-256'
wal_log_hints = on
wal_keep_size = '128MB'
END
  cat >>"$PGDATA/pg_hba.conf" <<END
host all         all    samenet scram-sha-256
host replication repmgr samenet scram-sha-256
END
}

create_role() {
  # By psql's input, as an argument would show the password; psql quotes it.
  install -m 600 -o postgres -g postgres "$shared/password" /tmp/password
  as_postgres psql -Xq -v ON_ERROR_STOP=1 -d postgres <<'END'
\set password `head -n 1 /tmp/password`
CREATE ROLE repmgr LOGIN REPLICATION SUPERUSER PASSWORD :'password';
CREATE DATABASE repmgr OWNER repmgr;
END
  rm /tmp/password
}

register() {
  case $1 in
    primary) as_postgres tsrepmgr primary register --force && touch "$shared/cluster-made" ;;
    standby) as_postgres tsrepmgr standby register --force --wait-sync=60 ;;
    witness) wait_for_primary && as_postgres tsrepmgr -h "$primary" witness register --force ;;
  esac
}

# What `unfinished` says: "copy ROLE" until the data directory is whole, "register ROLE" until the node is registered.
make_node() {
  local role=$NODE_ROLE
  # The first primary, made anew, is a standby of the one that the cluster has now.
  if [ "$role" = primary ] && [ -e "$shared/cluster-made" ]; then role=standby; fi
  rm -rf "$PGDATA"
  echo "copy $role" >"$unfinished"
  if [ "$role" = standby ]; then
    wait_for_primary
    say "cloning $primary"
    as_postgres tsrepmgr -h "$primary" -U repmgr -d repmgr standby clone --fast-checkpoint
  else
    initialise
    start_server
    create_role
  fi
  echo "register $role" >"$unfinished"
}

# A primary that was away while another one was promoted must not come back as a second one. The guard asks the others;
# the timelines tell when they are down as well.
refuse_old_primary() {
  local own newest others
  [ "$NODE_ROLE" = witness ] || [ -e "$PGDATA/standby.signal" ] && return
  others=$(for host in $CLUSTER_NODES; do [ "$host" = "$name" ] || echo "$host"; done | paste -sd,)
  as_postgres tsrepmgr node guard -d "host=$others user=repmgr dbname=repmgr connect_timeout=2" ||
    refuse "or remove the volume of $name to clone it anew"
  own=$(timeline)
  newest=$(sort -n "$shared"/timelines/* 2>/dev/null | tail -n 1) || true
  [ "${newest:-0}" -le "$own" ] ||
    refuse "another node has reached timeline $newest, this one has timeline $own; remove the volume of $name to clone it anew"
}

has_data() { [ -n "$(ls -A "$PGDATA" 2>/dev/null)" ]; }

run_server() {
  local todo= attempt
  [ -e "$unfinished" ] && todo=$(cat "$unfinished")
  if [ "${todo%% *}" = copy ] || { ! has_data && [ "$NODE_ROLE" != spare ]; }; then
    make_node
    todo=$(cat "$unfinished")
  fi
  if ! has_data; then
    say "the data directory is empty: clone a node into it"
    return
  fi
  # pg_basebackup writes this file last.
  [ -s "$PGDATA/global/pg_control" ] || refuse "the copy in $PGDATA is not complete; remove the volume of $name"
  if ! as_postgres "$bin_directory/pg_ctl" -D "$PGDATA" status >/dev/null; then
    [ -n "$todo" ] || refuse_old_primary
    start_server || refuse "the server did not start"
  fi
  if [ -n "$todo" ]; then
    register "${todo#* }" || refuse "registering failed"
    rm "$unfinished"
  fi
  say "ready"
}

trap stop_server EXIT
trap 'exit 0' TERM INT
(
  flock 9
  make_secrets
) 9>"$shared/lock"
install_secrets
write_repmgr_conf
install -d -m 700 -o postgres -g postgres "$(dirname "$PGDATA")"
install -m 640 -o postgres -g postgres /dev/null "$log"
# It polls, as the layers of a container tell it no changes.
tail -n 0 -s 0.1 -F "$log" &
tail=$!
/usr/sbin/sshd -D -e -h "$shared/ssh_host_ed25519_key" -o PasswordAuthentication=no &
run_server
wait "$tail"
