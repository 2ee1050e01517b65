# Anything else: a pair of commands in the service's container. DETAILS: dump, restore, check.

fl_kind_command() { # size | dump | check | restore | try, and what that function wants
  fl_verb=$1
  shift
  case $fl_verb in
    size) fl_command_size "$@" ;;
    dump) fl_command_dump "$@" ;;
    check) fl_command_check "$@" ;;
    restore) fl_command_restore "$@" ;;
    try) fl_command_try "$@" ;;
  esac
}

fl_command_size() { echo 0; }

fl_command_dump() { # CONTAINER DUMP RESTORE CHECK
  docker exec "$1" sh -c "$2"
}

fl_command_check() { # IMAGE DUMP RESTORE CHECK, the dump on stdin
  if [ -z "$4" ]; then cat >/dev/null; else docker run --rm -i --network none --entrypoint sh "$1" -c "$4"; fi
}

fl_command_restore() { # CONTAINER FILE DUMP RESTORE CHECK
  gunzip -c "$2" | docker exec -i "$1" sh -c "$4"
}

fl_command_try() { # IMAGE FILE QUERY DUMP RESTORE CHECK: the query is a line of shell that reads the dump
  if [ -n "$3" ]; then
    gunzip -c "$2" | docker run --rm -i --network none --label "fairlead.throwaway=${fl_away_of:-$FL_KEY}" --entrypoint sh "$1" -c "$3"
  else
    gunzip -c "$2" | fl_command_check "$1" "$4" "$5" "$6" && echo whole
  fi
}
