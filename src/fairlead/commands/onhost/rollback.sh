# Break-glass rollback of @key@ on this host alone, written by Fairlead. Needs sh and docker only.
#   bash deploy/rollback.sh --quick        to the proven release before the live one
#   bash deploy/rollback.sh --list         what there is to go back to
#   bash deploy/rollback.sh <timestamp>    to a backup; a release or a tag will do too
#   … --with-data                          and to the data of the backup that belongs to it
# It takes the same lock and writes the same audit as `inv rollback`. In an environment of several
# hosts run it on each. Exit codes: 0 done, 1 failed (the old release serves), 2 usage, 3 locked,
# 4 refused (the release needs its data, or a restore of data never ended), 6 a person is needed:
# the release serves, but what comes after the switch failed; or not all of the old one is back.

say() { printf '==> %s\n' "$*"; }

previous() { # LIVE: the newest proven release before it, by sequence
  for id in $(fl_releases); do
    [ "${id%%-*}" -lt "${1%%-*}" ] || continue
    [ "$(cat "$FL_BASE/releases/$id/status")" = proven ] || continue
    echo "$id"
    return 0
  done
}

find_release() { # NAME: a timestamp, a release or a tag → the release
  if [ -f "$FL_BASE/backups/$1/release" ]; then
    cat "$FL_BASE/backups/$1/release"
  elif [ -d "$FL_BASE/releases/$1" ]; then
    echo "$1"
  else
    for id in $(fl_releases); do
      if [ "${id#*-}" = "$1" ]; then echo "$id" && return 0; fi
    done
  fi
}

list() { # LIVE
  printf '%-24s %-12s %s\n' RELEASE STATUS BACKUPS
  for id in $(fl_releases); do
    mark=$(cat "$FL_BASE/releases/$id/status")
    [ "$id" != "$1" ] || mark="$mark,live"
    printf '%-24s %-12s %s\n' "$id" "$mark" "$(stamps "$id")"
  done
}

stamps() { # RELEASE: the backups that hold it
  for stamp in $(fl_backups); do
    [ "$(cat "$FL_BASE/backups/$stamp/release")" != "$1" ] || printf '%s ' "$stamp"
  done
}

crossed() { # RELEASE: those after it whose migration took away what it needs
  for id in $(fl_releases); do
    if [ "${id%%-*}" -gt "${1%%-*}" ] && [ -f "$FL_BASE/releases/$id/irreversible" ]; then echo "$id"; fi
  done
}

refuse_to_cross() {
  for mark in "$FL_BASE"/backups/.restored.*; do
    [ -e "$mark" ] || continue
    echo "a restore of the data of ${mark##*.restored.} was begun and never ended: nobody knows what they are" >&2
    echo "nothing was changed; next: bash $0 $release --with-data" >&2
    exit 4
  done
  ways=$(crossed "$release" | paste -s -d ' ' -)
  [ -n "$ways" ] || return 0
  echo "the migration of $ways is irreversible: $release cannot work with the data as they are now" >&2
  echo "nothing was changed; next: bash $0 $release --with-data" >&2
  exit 4
}

find_data() { # the newest backup with data of the release, from before any such migration; or $stamp
  limit=$(crossed "$release" | sed 's/-.*//' | sort -n | head -n 1)
  for one in ${stamp:-$(fl_backups)}; do
    [ "$(cat "$FL_BASE/backups/$one/release")" = "$release" ] || continue
    [ -f "$FL_BASE/backups/$one/data/manifest.json" ] || continue
    [ -z "$limit" ] || [ "$(cat "$FL_BASE/backups/$one/sequence")" -le "$limit" ] || continue
    echo "$one"
    return 0
  done
}

restore_data() { # what writes is stopped; what is there now is kept in a backup of its own
  before=$(date -u +%Y%m%d-%H%M%S)
  say "backing up the data as they are now, as $before"
  sequence=$(fl_releases | sed -n '1s/-.*//p' | sed 's/^0*//')
  sequence=$((sequence + 1))
  held=${live:-$(previous 9999)} # nothing is live after a rollback with data that was killed
  held=${held:-$release}
  @dump@
  say "stopping what writes; nothing is served from here to the switch"
  stopped=yes
  @close@
  # shellcheck disable=SC2046
  [ -z "$old" ] || fl_drain @drain_timeout@ $(fl_backends "$FL_KEY-$old")
  @stop@
  say "restoring the data of $data"
  restoring=yes
  @restore_data@
}

give_back() { # undo of restore_data; each in a shell of its own, as one that fails must not stop the rest
  say "bringing back the data and the release that were there"
  [ "$restoring" = no ] || (return_data) || whole=no
  [ -z "$old" ] || (reopen) || whole=no
}

return_data() {
  @return_data@
}

reopen() {
  @reopen@
}

close_runs() { # what was left unfinished on this host has come to an end with this
  for file in "$FL_BASE"/journal/*/header; do
    run=${file%/header}
    [ ! -f "$file" ] || [ -s "$run/end" ] || fl_journal_end "${run##*/}" rolled-back
  done
}

record() { # OUTCOME
  fl_audit "{\"time\":\"$(fl_now)\",\"event\":\"rollback\",\"release\":\"$release\",\"from\":\"$live\",\"outcome\":\"$1\",\"why\":\"\",\"who\":\"$(fl_json "$who")\",\"by\":\"rollback.sh\"}"
}

prepare() { # make the target run in the idle slot
  if [ "$(fl_release_in "$FL_KEY-$slot")" = "$release" ]; then
    @activate@
    return 0
  fi
  [ -z "$stamp" ] || @restore@
  say "starting $release in $slot"
  # shellcheck disable=SC2046  # references are separate words
  fl_pull $(fl_image_references "$release")
  @start@
}

ended() { # free the lock; a failure before the switch leaves nothing but the old release
  code=$?
  trap - EXIT
  trap '' INT TERM HUP
  set +e
  [ "$switched" != begun ] || switch_back
  if [ "$code" -ne 0 ] && [ "$switched" = yes ]; then
    say "failed after the switch: $release serves in $slot, and ${old:-the other slot} was left as it is; see inv status"
    record mixed
    code=6
  elif [ "$code" -ne 0 ] && [ -n "$slot" ]; then
    say "failed. What the containers said:"
    fl_explain "$FL_KEY-$slot" | sed 's/^@why /    /'
    @clear@
    [ "$stopped" = no ] || give_back
    record failed
    if [ "$whole" = yes ]; then
      say "${live:-nothing} serves as before"
    else
      say "not all of it is back: see above; a person is needed"
      code=6
    fi
  fi
  fl_unlock
  [ "$code" -le 6 ] || code=1
  exit "$code"
}

switch_back() { # a switch that failed: to what was live; what cannot be taken back counts as done
  # Where the data were replaced nothing may serve until theirs are back.
  back=${old:--} routes=/dev/null
  [ "$stopped" = no ] || back=-
  [ ! -f "$FL_BASE/releases/${live:-none}/routes" ] || routes=$FL_BASE/releases/$live/routes
  (fl_switch "$back")
  [ ! -f "$FL_BASE/releases/$release/routes" ] || (fl_router_routes "$FL_KEY" "$routes")
  switched=no
  case $(fl_live | sed 's/.* runtime=//') in *"$slot"*) switched=yes ;; esac
}

main() {
  who="${SUDO_USER:-$(id -un)}@$(hostname)" slot='' switched=no stamp='' release='' data='' stopped=no restoring=no whole=yes has_data=@has_data@
  old=$(fl_live_slot)
  live=''
  [ -z "$old" ] || live=$(fl_release_in "$FL_KEY-$old")
  half=$(fl_live | sed -n 's/.*runtime=[a-z]*:\([a-z]*\):.*/\1/p')
  case "${1:-}" in
    --list) list "$live" && exit 0 ;;
    --quick)
      release=$live
      [ -n "$half" ] || release=$(previous "${live:-9999}")
      ;;
    '' | -*) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" && exit 2 ;;
    */* | *..* | *[!A-Za-z0-9_.-]*) echo "'$1' names no release" >&2 && exit 2 ;;
    *) release=$(find_release "$1") && [ ! -d "$FL_BASE/backups/$1" ] || stamp=$1 ;;
  esac
  if [ -z "$release" ]; then
    echo "there is no such release to go back to; these are kept:" >&2
    list "$live" >&2
    exit 2
  fi
  if [ "$release" = "$live" ] && [ -z "$half" ]; then
    echo "$release is live already" && exit 0
  fi
  case "${2:-}" in
    --with-data) choose_data ;;
    '') refuse_to_cross ;;
    *) echo "'$2' is no flag of this script; --with-data is" >&2 && exit 2 ;;
  esac
  rollback
}

choose_data() {
  if [ "$has_data" = no ]; then
    say "no data are declared for this host; those of other hosts are restored there"
    return 0
  fi
  data=$(find_data)
  [ -n "$data" ] || { echo "no backup here holds the data of $release; nothing was changed" >&2 && exit 2; }
  @check_data@
}

settle() { # a roll-out that was killed half way: the live slot whole again, with all the traffic
  say "$live is live in $old, and a roll-out to $half stopped half way; $old gets everything again"
  @settle@
  # shellcheck disable=SC2046
  fl_drain @drain_timeout@ $(fl_backends "$FL_KEY-$half")
  fl_stop_workers "$FL_KEY-$half"
  fl_clear "$FL_KEY-$half"
}

refused() { # CODE of fl_lock
  [ "$1" -eq 73 ] || fl_fail "the lock cannot be written in $FL_BASE/lock (is the disk full?); nothing was changed"
  fl_lock_show >&2
  exit 3
}

rollback() {
  FL_TOKEN="$(date +%s)-$$"
  fl_lock 60 "$who" "rollback.sh to $release" || refused $?
  trap ended EXIT
  # From here to its end it is a step like any other: however long it takes, nobody overtakes it.
  exec 8>>"$FL_BASE/lock/step"
  flock -w 30 8 || fl_fail "a step still runs on this host" 3
  fl_step_sign
  fl_owned
  trap 'exit 1' INT TERM HUP
  if [ -n "$half" ]; then settle; fi
  if [ "$release" = "$live" ]; then
    close_runs
    record "done"
    say "done: $release serves"
    return 0
  fi
  slot=blue
  [ "$old" != blue ] || slot=green
  say "$live is live in ${old:-no slot}; going back to $release"
  [ -z "$data" ] || restore_data
  prepare
  say "waiting until it is healthy"
  @healthy@
  say "switching to $slot"
  trap '' INT TERM HUP # to its end, and written down
  switched=begun
  @switch@
  switched=yes
  fl_status "$release" proven
  for id in $(fl_releases); do # those after it were judged with the live one
    [ "${id%%-*}" -le "${release%%-*}" ] || fl_status "$id" rolled-back
  done
  @restored@
  close_runs
  record "done"
  trap 'exit 1' INT TERM HUP
  if [ -n "$old" ]; then
    say "letting $old finish its requests"
    # shellcheck disable=SC2046
    fl_drain @drain_timeout@ $(fl_backends "$FL_KEY-$old")
    @retire@
  fi
  say "done: $release serves"
  if [ -f "$FL_BASE/deploy/smoke_tests.sh" ]; then sh "$FL_BASE/deploy/smoke_tests.sh"; fi
}

main "$@"
