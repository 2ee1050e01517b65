# The lock: lock/owner holds token, expiry (epoch), since, who, doing; read and written under flock

fl_lock_read() { # sets lk_token lk_expires lk_since lk_who lk_doing; lk_token is empty when free
  lk_token='' lk_expires=0 lk_since='' lk_who='' lk_doing=''
  [ -f "$FL_BASE/lock/owner" ] || return 0
  {
    IFS= read -r lk_token && IFS= read -r lk_expires && IFS= read -r lk_since &&
      IFS= read -r lk_who && IFS= read -r lk_doing
  } <"$FL_BASE/lock/owner" || lk_token=''
}

fl_lock_write() { # LEASE SINCE WHO DOING
  umask 027
  printf '%s\n' "$FL_TOKEN" "$(($(date +%s) + $1))" "$2" "$3" "$4" >"$FL_BASE/lock/owner.$$" &&
    mv -f "$FL_BASE/lock/owner.$$" "$FL_BASE/lock/owner"
}

fl_lock() { # LEASE WHO DOING: take the lock, or print @held and exit 73; an expired lease is taken
  mkdir -p "$FL_BASE/lock" "$FL_BASE/releases" "$FL_BASE/backups" "$FL_BASE/deploy"
  (
    flock 9
    fl_lock_read
    if [ -n "$lk_token" ] && [ "$lk_token" != "$FL_TOKEN" ]; then
      if [ "$lk_expires" -gt "$(date +%s)" ]; then
        fl_lock_show
        exit 73
      fi
      printf '@takeover\t%s\t%s\n' "$lk_who" "$lk_doing"
      fl_audit "{\"time\":\"$(fl_now)\",\"event\":\"lock-takeover\",\"from\":\"$(fl_json "$lk_who")\"}"
    fi
    fl_lock_write "$1" "$(fl_now)" "$2" "$3"
  ) 9>"$FL_BASE/lock/guard"
}

fl_lock_show() { # print the lock's fields; nothing when it is free
  fl_lock_read
  [ -z "$lk_token" ] || printf '@held\t%s\t%s\t%s\t%s\n' \
    "$lk_who" "$lk_since" "$lk_doing" "$((lk_expires - $(date +%s)))"
}

fl_is_locked() { # does anybody hold it, whose lease has not ended
  fl_lock_read
  [ -n "$lk_token" ] && [ "$lk_expires" -gt "$(date +%s)" ]
}

fl_renew() { # LEASE: the owner's heartbeat; exit 75 when the lock is somebody else's by now
  (
    flock 9
    fl_fence
    fl_lock_write "$1" "$lk_since" "$lk_who" "$lk_doing"
  ) 9>"$FL_BASE/lock/guard"
}

fl_fence() { # exit 75 unless the lock is still ours: asked before every mutation
  fl_lock_read
  [ "$lk_token" = "$FL_TOKEN" ] ||
    fl_fail "the lock is no longer ours (now: ${lk_who:-free}); nothing more was changed" 75
}

fl_unlock() { # free the lock if it is ours
  (
    flock 9
    fl_lock_read
    [ "$lk_token" != "$FL_TOKEN" ] || rm -f "$FL_BASE/lock/owner"
  ) 9>"$FL_BASE/lock/guard"
}

fl_lock_break() { # free the lock whoever has it, and print whose it was
  (
    flock 9
    fl_lock_show
    rm -f "$FL_BASE/lock/owner"
  ) 9>"$FL_BASE/lock/guard"
}
