# The journal: what each deploy and rollback (a run) has done on this host, in journal/<run>/:
#   header          what it is: JSON, one line; written before anything is changed
#   <number>.<step> a directory a step, made before it begins (steps.sh)
#   end             how it ended; absent while it goes on, and for one that never came to its end

fl_journal_open() { # RUN HEADER: this run is at work on this host from now on
  (
    umask 077
    mkdir -p "$FL_BASE/journal/$1"
    [ ! -f "$FL_BASE/journal/$1/header" ] || exit 0
    printf '%s\n' "$2" >"$FL_BASE/journal/$1/header.new"
    mv -f "$FL_BASE/journal/$1/header.new" "$FL_BASE/journal/$1/header"
  )
}

fl_journal_end() { # RUN OUTCOME: it is over
  [ -d "$FL_BASE/journal/$1" ] || return 0
  printf '%s\n' "$2" >"$FL_BASE/journal/$1/end.new"
  mv -f "$FL_BASE/journal/$1/end.new" "$FL_BASE/journal/$1/end"
}

fl_observe_journal() { # @run ID END SINCE STEP=CODE,… HEADER of the runs that never ended, and the last
  set -- "$FL_BASE"/journal/*/header
  [ -f "$1" ] || return 0
  for jl_file in "$@"; do
    jl_run=${jl_file%/header} jl_end=''
    [ ! -s "$jl_run/end" ] || read -r jl_end <"$jl_run/end"
    if [ -z "$jl_end" ] || [ "$#" -le 3 ]; then fl_observe_run; fi
    shift
  done
}

fl_observe_run() {
  jl_steps='' jl_since=-
  for jl_step in "$jl_run"/[0-9]*; do
    [ -d "$jl_step" ] || continue
    jl_code='?'
    [ ! -s "$jl_step/code" ] || read -r jl_code <"$jl_step/code"
    jl_steps="$jl_steps,${jl_step##*/}=$jl_code"
  done
  [ -n "$jl_end" ] || [ -z "$jl_steps" ] || jl_since=$(date -u -r "$jl_run" +%Y-%m-%dT%H:%M:%SZ)
  IFS= read -r jl_header <"$jl_file"
  printf '@run-of %s %s %s %s %s\n' "${jl_run##*/}" "${jl_end:--}" "$jl_since" "${jl_steps#,}" "$jl_header"
}

fl_prune_journal() { # KEEP: what ended, but the KEEP newest
  find "$FL_BASE/journal" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort -r | tail -n +"$(($1 + 1))" |
    while read -r jl_run; do
      if [ -s "$jl_run/end" ] || [ ! -f "$jl_run/header" ] || ! ls -d "$jl_run"/[0-9]* >/dev/null 2>&1; then
        rm -rf "$jl_run"
      fi
    done
}
