# The lock of an environment on one host, in lock/:
#   owner  when it was renewed (this host's uptime, s), token, lease (s), since, who, doing; or absent
#   step   held (flock) by the step that runs: the kernel knows of its end, whatever that was; its PID
#   guard  held (flock) for a moment by whoever takes or frees the lock, or asks whether a step runs
#   idle   held (flock) while a slot that was kept warm is stopped (slots.sh)
#   try    held (flock) while a backup is restored into a throwaway container (backup.sh)
# Ages are told by /proc/uptime, so neither this clock nor a client's has a say in who may work.

fl_lock_read() { # sets lk_renewed lk_token lk_lease lk_since lk_who lk_doing; no lk_token when free
  lk_renewed='' lk_token='' lk_lease='' lk_since='' lk_who='' lk_doing=''
  [ -f "$FL_BASE/lock/owner" ] || return 0
  {
    read -r lk_renewed && IFS= read -r lk_token && read -r lk_lease && IFS= read -r lk_since &&
      IFS= read -r lk_who && IFS= read -r lk_doing
  } <"$FL_BASE/lock/owner" || lk_token=''
  case $lk_renewed:$lk_lease in :* | *: | *[!0-9:]*) lk_token='' ;; esac
}

fl_lock_left() { # sets lk_left: what is left of the lease, in seconds; 0 or less when it has ended
  fl_uptime
  lk_age=$((fl_up - lk_renewed))
  [ "$lk_age" -ge 0 ] || lk_age=$fl_up # renewed before this host was started anew
  lk_left=$((lk_lease - lk_age))
}

fl_lock_write() { # LEASE SINCE WHO DOING
  umask 027
  fl_uptime
  printf '%10d\n%s\n%s\n%s\n%s\n%s\n' "$fl_up" "$FL_TOKEN" "$1" "$2" "$3" "$4" >"$FL_BASE/lock/owner.$$" &&
    mv -f "$FL_BASE/lock/owner.$$" "$FL_BASE/lock/owner"
}

fl_lock() { # LEASE WHO DOING: take the lock, or print @held and exit 73
  # One is taken over when its lease has ended and no step of its owner runs here any more.
  mkdir -p "$FL_BASE/lock" "$FL_BASE/releases" "$FL_BASE/backups" "$FL_BASE/deploy" "$FL_BASE/journal"
  (
    flock 9
    fl_lock_read
    if [ -z "$lk_token" ] || [ "$lk_token" = "$FL_TOKEN" ]; then
      flock -n 8 || fl_lock_busy
    else
      fl_lock_left
      if [ "$lk_left" -gt 0 ] || ! flock -n 8; then fl_lock_busy; fi
      printf '@takeover\t%s\t%s\n' "$lk_who" "$lk_doing"
      fl_lock_audit takeover "$2" "its lease had ended"
    fi
    fl_lock_write "$1" "$(fl_now)" "$2" "$3" && fl_lock_settled
  ) 9>"$FL_BASE/lock/guard" 8>>"$FL_BASE/lock/step"
}

fl_lock_settled() { # wait for what is on its way down: it looks as if it ran, and cannot be started
  exec 8>&- 9>>"$FL_BASE/lock/idle"
  flock -w 300 9 || fl_fail "a slot that was kept warm does not come to its end on this host"
  fl_owned
}

fl_lock_busy() { # say who has it, and exit 73
  fl_lock_told
  exit 73
}

fl_lock_audit() { # EVENT WHO WHY: what became of the lock that was just read
  fl_audit "{\"time\":\"$(fl_now)\",\"event\":\"lock-$1\",\"from\":\"$(fl_json "$lk_who")\",\"doing\":\"$(fl_json "$lk_doing")\",\"token\":\"$(fl_json "$lk_token")\",\"why\":\"$(fl_json "$3")\",\"who\":\"$(fl_json "$2")\"}"
}

fl_lock_show() { # @held WHO SINCE DOING SECONDS-LEFT TOKEN; nothing when it is free
  if [ -e "$FL_BASE/lock/guard" ]; then
    (
      flock -w 5 9 || :
      fl_lock_told
    ) 9<"$FL_BASE/lock/guard"
  fi
}

fl_lock_told() { # as fl_lock_show, for who holds the guard; the token `-` is of a lock that was released
  fl_lock_read
  if [ -n "$lk_token" ]; then
    fl_lock_left
    if [ "$lk_left" -le 0 ] && fl_step_runs; then lk_left=1; fi
  elif fl_step_runs; then
    lk_who='a step of a lock that was released' lk_since=- lk_doing='still runs' lk_left=1 lk_token=-
    read -r lk_pid <"$FL_BASE/lock/step" || lk_pid=''
    [ ! -d "/proc/${lk_pid:-none}" ] || lk_doing="still runs; kill -TERM -- -$lk_pid on the host ends it"
  fi
  [ -z "$lk_token" ] ||
    printf '@held\t%s\t%s\t%s\t%s\t%s\n' "$lk_who" "$lk_since" "$lk_doing" "$lk_left" "$lk_token"
}

fl_step_runs() { # does a step run on this host; it has the lock until it ends, whatever its lease
  [ -e "$FL_BASE/lock/step" ] && ! (flock -s -n 8) 8<"$FL_BASE/lock/step"
}

fl_step_sign() { # leave the PID of the step, which holds lock/step, for people; a full disk is no obstacle
  printf '%10d\n' $$ 2>/dev/null 1<>"$FL_BASE/lock/step" || :
}

fl_is_locked() { # does anybody hold it
  fl_lock_read
  [ -n "$lk_token" ] || return 1
  fl_lock_left
  [ "$lk_left" -gt 0 ] || fl_step_runs
}

fl_owned() { # @fenced and exit 75 unless the lock is ours; its lease begins anew
  fl_lock_read
  [ "$lk_token" = "$FL_TOKEN" ] || {
    echo '@fenced'
    fl_fail "the lock is no longer ours (now: ${lk_who:-free}); nothing more was changed" 75
  }
  # Ten characters over ten: no room is needed for it, and no reader ever sees half of them.
  fl_uptime
  printf '%10d\n' "$fl_up" 1<>"$FL_BASE/lock/owner" || :
}

fl_renew() { # the owner's heartbeat; exit 75 when the lock is somebody else's by now
  fl_owned
}

fl_unlock() { # free the lock if it is ours
  (
    flock 9
    fl_lock_read
    [ "$lk_token" != "$FL_TOKEN" ] || rm -f "$FL_BASE/lock/owner"
  ) 9>"$FL_BASE/lock/guard"
}

fl_lock_break() { # WHO WHY [TOKEN]: free the lock of others, print whose it was; only TOKEN's, if given
  mkdir -p "$FL_BASE/lock"
  (
    flock 9
    fl_lock_told
    [ "$lk_token" ] || exit 0
    [ "$lk_token" != - ] || exit 73
    [ -z "${3:-}" ] || [ "$3" = "$lk_token" ] ||
      fl_fail "the lock is not $3's by now, but ${lk_token}'s (${lk_who}: ${lk_doing})" 73
    fl_lock_audit release "$1" "$2"
    rm -f "$FL_BASE/lock/owner"
  ) 9>"$FL_BASE/lock/guard"
}
