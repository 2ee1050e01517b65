# Backups with data: taken beside and renamed, checked, restored, tried out. What a kind of data needs
# is in backup_<kind>.sh; KIND is a function there, fl_kind_<kind>: size, dump, check, restore, try.

fl_backup_begin() { # STAMP RELEASE SEQUENCE: a copy of what is live, not listed before fl_backup_end
  umask 077
  fl_partial="$FL_BASE/backups/.$1.partial"
  rm -rf "$FL_BASE"/backups/.*.partial "$FL_BASE"/backups/.*.sums # of backups that were cut short
  cp -a "$FL_BASE/releases/$2" "$fl_partial"
  rm -rf "$fl_partial/data"
  printf '%s\n' "$2" >"$fl_partial/release"
  printf '%s\n' "$3" >"$fl_partial/sequence"
}

fl_backup_data() { # STAMP NAME required|optional KIND SERVICE DETAIL…: one dump more in it
  fl_partial="$FL_BASE/backups/.$1.partial"
  (fl_backup_dump "$@") && return 0
  [ "$3" = optional ] || fl_fail "the data of $2 (${4#fl_kind_} of $5) could not be backed up; no backup was made"
  rm -rf "$fl_partial/data/$2.gz"* # with what was staged beside it
  echo "@warning no data of $2 (${4#fl_kind_} of $5) in backup $1"
}

fl_backup_dump() { # as fl_backup_data
  fl_name=$2 fl_kind=$4 fl_service=$5
  fl_from=$(fl_clock)
  fl_id=$(fl_data_container "$fl_service") || exit 1
  shift 5
  mkdir -p "$fl_partial/data"
  fl_file="$fl_partial/data/$fl_name.gz"
  fl_room "$fl_partial" "$(fl_expected "$fl_name" "$fl_kind" "$fl_id" "$@")" || exit 1
  rm -f "$fl_file.failed"
  # A pipe's exit code is that of its end: whether its beginning failed is left in a file.
  { "$fl_kind" dump "$fl_id" "$@" </dev/null || : >"$fl_file.failed"; } | gzip -1 >"$fl_file" || exit 1
  [ ! -e "$fl_file.failed" ] || exit 1
  fl_image=$(docker inspect --format '{{.Image}}' "$fl_id") || exit 1
  gunzip -c "$fl_file" | "$fl_kind" check "$fl_image" "$@" >/dev/null ||
    fl_fail "the dump of $fl_name is not whole"
  printf '{"name":"%s","kind":"%s","service":"%s","image":"%s","bytes":%s,"seconds":%s}\n' \
    "$fl_name" "${fl_kind#fl_kind_}" "$fl_service" "$(docker inspect --format '{{.Config.Image}}' "$fl_id")" \
    "$(fl_bytes "$fl_file")" "$(fl_since "$fl_from")" >"$fl_partial/data/.$fl_name"
}

fl_backup_end() { # STAMP: what was dumped is told, all is summed up, and the backup is there
  umask 077
  fl_partial="$FL_BASE/backups/.$1.partial"
  if [ -d "$fl_partial/data" ]; then
    printf '{"schema":1,"stamp":"%s","key":"%s","taken":%s,"data":[%s]}\n' "$1" "$FL_KEY" "$(date +%s)" \
      "$(cat "$fl_partial"/data/.[a-z0-9]* 2>/dev/null | paste -s -d , -)" >"$fl_partial/data/manifest.json"
    rm -f "$fl_partial"/data/.[a-z0-9]*
  fi
  (cd "$fl_partial" && find . -type f -exec sha256sum {} +) >"$FL_BASE/backups/.$1.sums"
  mv "$FL_BASE/backups/.$1.sums" "$fl_partial/SHA256SUMS"
  mv "$fl_partial" "$FL_BASE/backups/$1"
}

fl_backup_drop() { # STAMP: what was begun of it, and what it was about to try, is gone
  rm -rf "$FL_BASE/backups/.$1.partial" "$FL_BASE/backups/.$1.sums"
  fl_throwaways_end
}

fl_bytes() { wc -c <"$1" | tr -d ' '; }

fl_room() { # DIRECTORY KIB: enough is free for that much, with a quarter and 100 MiB to spare
  fl_free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
  fl_needed=$(($2 + $2 / 4 + 102400))
  [ "$fl_free" -ge "$fl_needed" ] || fl_fail \
    "$((fl_free / 1024)) MiB free for backups in $FL_BASE, and $((fl_needed / 1024)) MiB are needed; see inv backups.prune"
}

fl_expected() { # NAME KIND CONTAINER DETAIL…: how many KiB a dump may take: as the last, else as the data
  for fl_stamp in $(fl_backups); do
    fl_last=$(fl_recorded "$fl_stamp" "$1")
    [ -z "$fl_last" ] || { echo $((fl_last / 1024 + 1)) && return 0; }
  done
  fl_kind=$2
  shift 2
  "$fl_kind" size "$@" </dev/null || echo 0
}

fl_recorded() { # STAMP NAME: how many bytes its dump has, as the backup's manifest tells; or nothing
  [ -f "$FL_BASE/backups/$1/data/manifest.json" ] || return 0
  sed -n 's/.*"name":"'"$2"'"[^}]*"bytes":\([0-9]*\).*/\1/p' "$FL_BASE/backups/$1/data/manifest.json"
}

fl_data_container() { # SERVICE [any]: the container that keeps its data, running unless any will do
  fl_filter="--filter status=running"
  [ "${2:-}" != any ] || fl_filter=''
  # shellcheck disable=SC2086  # an empty word is no flag
  fl_found=$(docker ps -aq $fl_filter --filter "label=fairlead.key=$FL_KEY" \
    --filter "label=fairlead.service=$1" --filter label=com.docker.compose.oneoff=False | head -n 1)
  [ -n "$fl_found" ] || fl_fail "no container of $1 runs"
  echo "$fl_found"
}

# Whether a backup may be trusted.

fl_backup_check() { # STAMP [NAME…]: whole, unharmed and ours, with the data of these names; or why not
  case $1 in
    '' | .* | *..* | *[!A-Za-z0-9_.-]*) fl_fail "'$1' names no backup: letters, digits and ._- only" ;;
  esac
  fl_dir="$FL_BASE/backups/$1"
  [ -d "$fl_dir" ] || fl_fail "there is no backup $1 here"
  for fl_file in manifest.json SHA256SUMS; do
    [ -f "$fl_dir/$fl_file" ] || fl_fail "backup $1 is not whole: its $fl_file is missing"
  done
  fl_backup_owned "$1"
  if grep -Ev '^[0-9a-f]{64}  \./[^/.]' "$fl_dir/SHA256SUMS" || grep '/\.\./' "$fl_dir/SHA256SUMS"; then
    fl_fail "backup $1 names files outside of itself"
  fi >/dev/null
  [ -z "$(find "$fl_dir" -type l)" ] || fl_fail "backup $1 holds links, which no backup has"
  fl_stamp=$1
  shift
  for fl_name in "$@"; do fl_backup_has "$fl_stamp" "$fl_name"; done
  fl_sums=$(cd "$fl_dir" && sha256sum -c SHA256SUMS 2>&1) ||
    fl_fail "backup $fl_stamp is damaged: its checksums do not match: $(printf '%s\n' "$fl_sums" |
      sed -n -e 's/: FAILED$//p' -e 's/: FAILED open or read$/ is missing/p' | sed 's|^\./||' | paste -s -d ' ' -)"
}

fl_backup_owned() { # STAMP: a backup of this application and environment
  fl_owner=$(sed -n 's/^ *"app": "\([^"]*\)".*/\1/p' "$fl_dir/manifest.json")-$(sed -n 's/^ *"environment": "\([^"]*\)".*/\1/p' "$fl_dir/manifest.json")
  [ ! -f "$fl_dir/data/manifest.json" ] || [ "$fl_owner" != "$FL_KEY" ] ||
    fl_owner=$(sed -n 's/.*"key":"\([^"]*\)".*/\1/p' "$fl_dir/data/manifest.json")
  [ "$fl_owner" = "$FL_KEY" ] || fl_fail "backup $1 belongs to $fl_owner, not to $FL_KEY"
}

fl_backup_has() { # STAMP NAME: its dump, as long as it was when it was taken
  [ -f "$fl_dir/data/manifest.json" ] || fl_fail "backup $1 is not whole: its data/manifest.json is missing"
  fl_size=$(fl_recorded "$1" "$2")
  [ -n "$fl_size" ] || fl_fail "backup $1 holds no data of $2"
  [ -f "$fl_dir/data/$2.gz" ] || fl_fail "backup $1 is not whole: its data/$2.gz is missing"
  grep -q "  \./data/$2.gz\$" "$fl_dir/SHA256SUMS" || fl_fail "backup $1 has no checksum of data/$2.gz"
  fl_now=$(fl_bytes "$fl_dir/data/$2.gz")
  [ "$fl_now" = "$fl_size" ] ||
    fl_fail "backup $1 is damaged: data/$2.gz has $fl_now bytes, $fl_size were written"
}

fl_backup_try() { # STAMP NAME KIND SERVICE QUERY DETAIL…: restored into a throwaway container, and asked
  fl_backup_check "$1" "$2"
  fl_file="$FL_BASE/backups/$1/data/$2.gz" fl_name=$2 fl_kind=$3 fl_query=$5
  fl_id=$(fl_data_container "$4" any)
  fl_image=$(docker inspect --format '{{.Image}}' "$fl_id")
  shift 5
  fl_away_of=$FL_KEY/try # it has no lock, so the throwaway containers of others may be at work
  mkdir -p "$FL_BASE/lock" # a backup that was copied here may be all there is
  exec 6>>"$FL_BASE/lock/try"
  flock -w 60 6 || fl_fail "another restore test still runs on this host; nothing was restored"
  fl_throwaways_end
  fl_from=$(fl_clock)
  fl_said=$("$fl_kind" try "$fl_image" "$fl_file" "$fl_query" "$@") || {
    fl_throwaways_end
    fl_fail "the data of $fl_name could not be restored into a throwaway container"
  }
  fl_throwaways_end
  printf '@tried %s %s %s\n' "$fl_name" "$(fl_since "$fl_from")" \
    "$(printf '%s' "$fl_said" | head -c 4096 | base64 | tr -d '\n')"
  fl_away_of=''
}

fl_throwaway() { # IMAGE NETWORK [FLAG…]: a container that does nothing yet, gone with fl_throwaways_end
  fl_image=$1 fl_network=$2
  shift 2
  docker run -d --network "$fl_network" --label "fairlead.throwaway=${fl_away_of:-$FL_KEY}" --user 0 "$@" \
    --entrypoint tail "$fl_image" -f /dev/null
}

fl_throwaways_end() {
  fl_ids=$(docker ps -aq --filter "label=fairlead.throwaway=${fl_away_of:-$FL_KEY}")
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || docker rm -fv $fl_ids >/dev/null
}

# Back to what a backup holds.

fl_backup_restore() { # STAMP NAME KIND SERVICE DETAIL…: its data replace those of the service, or none do
  # The mark comes first: whatever ends this half-way, fl_backup_return finds that there is something to do.
  : >"$FL_BASE/backups/.restored.$2"
  fl_put=0
  fl_backup_put "$@" || fl_put=$?
  [ "$fl_put" -ne 0 ] || return 0
  [ "$fl_put" -lt 125 ] ||
    fl_fail "the restore of the data of $2 was cut short (exit code $fl_put): what they are now is unknown, until they are brought back"
  rm -f "$FL_BASE/backups/.restored.$2"
  fl_fail "the data of $2 could not be restored; they are as they were"
}

fl_backup_put() { # as fl_backup_restore; a failure below 125 leaves them as they were
  # From there on it is Docker's own or that of a signal, and nobody knows how far it came.
  fl_file="$FL_BASE/backups/$1/data/$2.gz" fl_kind=$3 fl_service=$4
  shift 4
  fl_throwaways_end
  (fl_id=$(fl_data_container "$fl_service" any) && "$fl_kind" restore "$fl_id" "$fl_file" "$@") && fl_code=0 || fl_code=$?
  fl_throwaways_end
  return "$fl_code"
}

fl_backup_return() { # STAMP NAME KIND SERVICE DETAIL…: undo of a restore that was begun, by the backup before it
  [ -e "$FL_BASE/backups/.restored.$2" ] || return 0
  fl_backup_check "$1" "$2"
  fl_backup_put "$@" || fl_fail "the data of $2 could not be brought back from backup $1"
  # It ran when that was taken; a restore that was killed may have stopped it.
  docker start "$(fl_data_container "$4" any)" >/dev/null
  rm -f "$FL_BASE/backups/.restored.$2"
}

fl_backup_restored() { # SEQUENCE NAME…: no way back is cut off any more by a migration from there on
  fl_sequence=$1
  shift
  for fl_name in "$@"; do rm -f "$FL_BASE/backups/.restored.$fl_name"; done
  for fl_release in $(fl_releases); do
    [ "${fl_release%%-*}" -lt "$fl_sequence" ] || rm -f "$FL_BASE/releases/$fl_release/irreversible"
  done
}

fl_backup_restored_of() { # STAMP NAME…: as fl_backup_restored, from the deploy the backup was taken before
  fl_stamp=$1
  shift
  [ -z "$fl_stamp" ] || fl_backup_restored "$(cat "$FL_BASE/backups/$fl_stamp/sequence")" "$@"
}

fl_backup_remove() { # STAMP…: gone, listed no more from the first moment on
  for fl_stamp in "$@"; do
    mv "$FL_BASE/backups/$fl_stamp" "$FL_BASE/backups/.$fl_stamp.partial"
    rm -rf "$FL_BASE/backups/.$fl_stamp.partial"
  done
}

fl_backup_receive() { # FOLDER STAMP: a copy of another host's backup from stdin, checked, then there
  umask 077
  rm -rf "$1/.$2.partial"
  mkdir -p "$1/.$2.partial"
  tar -xpf - -C "$1/.$2.partial" && [ -f "$1/.$2.partial/$2/SHA256SUMS" ] ||
    fl_fail "the copy of $2 was cut off; there is none"
  fl_sums=$(cd "$1/.$2.partial/$2" && sha256sum -c SHA256SUMS 2>&1) || {
    rm -rf "$1/.$2.partial"
    fl_fail "the copy of $2 is damaged: $(printf '%s\n' "$fl_sums" | grep -v ': OK$' | head -n 3 | paste -s -d ' ' -)"
  }
  rm -rf "${1:?}/$2"
  mv "$1/.$2.partial/$2" "$1/$2"
  rm -rf "$1/.$2.partial"
}
