# Postgres. DETAILS: the variable in the container that holds the password, the database, the user.
# A dump is `pg_dump -Fc`. It is restored into a new database beside the old one, which then takes its
# name in one transaction: until then nobody sees anything of it.

fl_kind_postgres() { # size | dump | check | restore | try, and what that function wants
  fl_verb=$1
  shift
  case $fl_verb in
    size) fl_postgres_size "$@" ;;
    dump) fl_postgres_dump "$@" ;;
    check) fl_postgres_check "$@" ;;
    restore) fl_postgres_restore "$@" ;;
    try) fl_postgres_try "$@" ;;
  esac
}

fl_in_postgres() { # CONTAINER VARIABLE USER WORD…: one of Postgres' programs in the container
  fl_at=$1
  shift
  # shellcheck disable=SC2016  # it expands in the container
  docker exec -i "$fl_at" sh -c '
    [ -z "$1" ] || { eval "PGPASSWORD=\$$1"; export PGPASSWORD; }
    export PGUSER="$2" PGCONNECT_TIMEOUT=10 PGOPTIONS="-c client_min_messages=warning"
    shift 2; exec "$@"' sh "$@"
}

fl_postgres_sql() { # CONTAINER VARIABLE USER DATABASE SQL: its answer, bare
  fl_in_postgres "$1" "$2" "$3" psql -v ON_ERROR_STOP=1 -qAtX -d "$4" -c "$5" </dev/null
}

fl_postgres_size() { # CONTAINER VARIABLE DATABASE USER: KiB
  fl_postgres_sql "$1" "$2" "$4" "$3" 'select pg_database_size(current_database()) / 1024 + 1'
}

fl_postgres_dump() { # CONTAINER VARIABLE DATABASE USER
  fl_in_postgres "$1" "$2" "$4" pg_dump -Fc -Z0 "$3" # compressed once, outside
}

fl_postgres_check() { # IMAGE VARIABLE DATABASE USER, the dump on stdin: pg_restore reads it to its end
  docker run --rm -i --network none --entrypoint pg_restore "$1" -f /dev/null
}

fl_postgres_restore() { # CONTAINER FILE VARIABLE DATABASE USER
  fl_id=$1 fl_dump=$2 fl_secret=$3 fl_database=$4 fl_user=$5
  fl_new="${fl_database}_fl_new" fl_old="${fl_database}_fl_old"
  fl_sql() { fl_postgres_sql "$fl_id" "$fl_secret" "$fl_user" "$1" "$2"; }
  fl_postgres_load && fl_postgres_swap && return 0
  fl_sql template1 "drop database if exists \"$fl_new\""
  return 1
}

fl_postgres_load() { # the new database, with all that the dump holds
  fl_sql template1 "drop database if exists \"$fl_new\"" &&
    fl_postgres_create | fl_in_postgres "$fl_id" "$fl_secret" "$fl_user" psql -v ON_ERROR_STOP=1 -qX -d template1 &&
    gunzip -c "$fl_dump" | fl_in_postgres "$fl_id" "$fl_secret" "$fl_user" pg_restore --exit-on-error -d "$fl_new" &&
    fl_sql "$fl_new" analyze
}

fl_postgres_create() { # SQL that makes the new database as the old one was: owner, locale, rights, settings
  gunzip -c "$fl_dump" | fl_in_postgres "$fl_id" "$fl_secret" "$fl_user" pg_restore --create --schema-only -f - |
    sed -n "s/^\([A-Z ,]* DATABASE\) \"\{0,1\}$fl_database\"\{0,1\}\([ ;]\)/\1 \"$fl_new\"\2/p"
}

fl_postgres_swap() { # the new database takes the old one's name; who is connected to that is cut off
  fl_away="select pg_terminate_backend(pid) from pg_stat_activity where datname = '$fl_database'"
  fl_rename="alter database \"$fl_new\" rename to \"$fl_database\""
  fl_sql template1 "drop database if exists \"$fl_old\"" || return 1
  if [ "$(fl_sql template1 "select 1 from pg_database where datname = '$fl_database'")" != 1 ]; then
    fl_sql template1 "$fl_rename"
    return
  fi
  for fl_round in 1 2 3 4 5; do
    fl_sql template1 "$fl_away" >/dev/null &&
      fl_sql template1 "begin; alter database \"$fl_database\" rename to \"$fl_old\"; $fl_rename; commit" &&
      { fl_sql template1 "drop database \"$fl_old\"" || :; } && return 0
    sleep 1
  done
  echo "postgres: somebody stays connected to $fl_database (round $fl_round)" >&2
  return 1
}

fl_postgres_try() { # IMAGE FILE QUERY VARIABLE DATABASE USER
  fl_away=$(fl_throwaway "$1" none) || return 1
  # As the user whom the image has for it: Postgres refuses to run as root.
  # shellcheck disable=SC2016
  docker exec -u postgres "$fl_away" sh -c '
    PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
    initdb -N -D /tmp/fl -A trust -U "$1" >/tmp/fl.log 2>&1 &&
      pg_ctl -D /tmp/fl -o "-c listen_addresses= -k /tmp -c fsync=off" -w -l /tmp/fl.log start >/dev/null ||
      { tail -n 3 /tmp/fl.log >&2; exit 1; }' sh "$6" &&
    gunzip -c "$2" | docker exec -i "$fl_away" pg_restore -h /tmp -U "$6" -d template1 --create --clean \
      --if-exists --no-owner --no-privileges --exit-on-error &&
    docker exec "$fl_away" psql -h /tmp -U "$6" -d "$5" -v ON_ERROR_STOP=1 -qAtX \
      -c "${3:-select count(*) from pg_class}"
}
