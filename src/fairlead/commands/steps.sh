# A step: a script that changes the host, and runs to its end whoever hangs up meanwhile.
# Set for it: FL_RUN (its journal), FL_STEP (its name there), FL_MARK (the word its end is told with),
# FL_INPUT (how many bytes come by stdin). In journal/$FL_RUN/$FL_STEP/ are out (all that it said)
# and code (its exit code, once it has ended). That directory is made once, so a script that is sent
# again after a lost connection finds it, and tells what came of the first. sshd gives a script a
# session of its own without a terminal, so nothing but a signal sent to it ends it.

fl_fence() { # exit 75 unless the lock is ours; asked before every mutation, and begins the step
  if [ -z "${FL_STEP:-}" ]; then
    fl_owned
    return 0
  fi
  trap '' HUP
  st_directory=$FL_BASE/journal/$FL_RUN/$FL_STEP
  [ ! -d "$st_directory" ] || fl_step_again
  fl_owned
  fl_step_input
  exec 8>>"$FL_BASE/lock/step"
  flock -w 300 8 || fl_fail "an earlier step still runs on this host; nothing more was changed" 75
  fl_step_sign
  fl_owned # nobody takes the lock over from here to the end of this script
  fl_step_claim
}

fl_step_input() { # take in what comes by stdin, whole: a step that has begun waits for nobody
  [ "$FL_INPUT" -gt 0 ] || return 0
  mkdir -p "$FL_BASE/journal/$FL_RUN"
  st_input=$FL_BASE/journal/$FL_RUN/.$FL_STEP.$$
  # Its name is gone before a byte comes: a script that is killed meanwhile leaves nothing behind.
  (umask 077 && : >"$st_input")
  # shellcheck disable=SC2094  # one to fill it, one to measure it, one for the step
  exec 5<"$st_input" 6>"$st_input" 7<"$st_input"
  rm -f "$st_input"
  head -c "$FL_INPUT" >&6 || :
  st_size=$(wc -c <&5)
  exec 5<&- 6>&-
  [ "$st_size" -eq "$FL_INPUT" ] ||
    fl_fail "only $((st_size)) of $FL_INPUT bytes arrived (is the disk full?); nothing was changed"
}

fl_step_claim() { # whoever makes the directory carries the step out
  if (umask 077 && mkdir "$st_directory" && : >"$st_directory/out" && : >"$st_directory/err") 2>/dev/null; then
    trap 'exit 143' TERM INT
    trap fl_step_ended EXIT
    if echo "@step $FL_MARK $$" 2>/dev/null >"$st_directory/out"; then
      # exec, as a shell keeps copies of what it only redirects; a grandchild, as functions `wait`.
      (exec 8>&- 7<&- && fl_step_follow $$ &)
      exec >>"$st_directory/out" 2>"$st_directory/err"
      return 0
    fi
    trap - EXIT
  elif [ -s "$st_directory/code" ]; then
    fl_step_again
  fi
  # One that was begun and killed stays on record.
  [ -s "$st_directory/out" ] || rm -rf "$st_directory" 2>/dev/null || :
  case $FL_STEP in
    *.undo-* | *.end) fl_step_unwritten ;;
    *) fl_fail "the journal cannot be written in $FL_BASE/journal; nothing more was changed" ;;
  esac
}

fl_step_unwritten() { # begin it without a journal: what was begun must not stay because a disk is full
  trap 'exit 143' TERM INT
  trap 'fl_step_tell $?' EXIT
  echo "@step $FL_MARK $$"
}

fl_step_follow() { # PID: what the step says, while it says it
  tail -c +1 -f -s 0.01 --pid="$1" "$st_directory/out" 2>/dev/null ||
    { # BusyBox's follows no process
      until [ -s "$st_directory/code" ] || ! kill -0 "$1" 2>/dev/null; do fl_nap; done
      fl_nap
      cat "$st_directory/out"
    }
}

fl_step_ended() { # write down and tell how it ended
  st_code=$?
  trap - EXIT
  [ ! -s "$st_directory/err" ] || sed 's/^/@err /' "$st_directory/err" || :
  printf '%s\n' "$st_code" >"$st_directory/code" || :
  fl_step_tell "$st_code"
}

fl_step_tell() { # CODE: it has ended with this; without that line its client would ask again
  trap - EXIT
  printf '\n@exit %s %s\n' "$FL_MARK" "$1" || :
  exit "$1"
}

fl_step_again() { # this step was begun before: tell what it said, and how it ended
  st_directory=$FL_BASE/journal/$FL_RUN/$FL_STEP
  until [ -s "$st_directory/code" ]; do
    fl_step_is_ours
    if ! fl_step_runs && [ ! -s "$st_directory/code" ]; then
      cat "$st_directory/out"
      [ ! -s "$st_directory/err" ] || sed 's/^/@err /' "$st_directory/err"
      printf '\n@err it was ended from outside, or the host was restarted\n@exit %s 137\n' "$FL_MARK"
      exit 137
    fi
    fl_nap
  done
  fl_step_is_ours
  read -r st_code <"$st_directory/code"
  sed "/^@exit $FL_MARK /d" "$st_directory/out" # its last line comes after the code
  printf '@exit %s %s\n' "$FL_MARK" "$st_code"
  exit "$st_code"
}

fl_step_is_ours() { # @fenced and exit 75 when it was begun by somebody who goes on with our run
  IFS= read -r st_first 2>/dev/null <"$st_directory/out" || st_first=''
  case $st_first in '' | "@step $FL_MARK "*) return 0 ;; esac
  echo '@fenced'
  fl_fail "somebody else goes on with this run, and began $FL_STEP; nothing more was changed" 75
}
