# Redis. DETAIL: the variable in the container that holds the password, or nothing.
# What is dumped is the RDB file of a BGSAVE. What is restored comes in by replication, which replaces
# all data at once or none, whether the server keeps an RDB file, an AOF, or nothing on disk.

fl_kind_redis() { # size | dump | check | restore | try, and what that function wants
  fl_verb=$1
  shift
  case $fl_verb in
    size) fl_redis_size "$@" ;;
    dump) fl_redis_dump "$@" ;;
    check) fl_redis_check "$@" ;;
    restore) fl_redis_restore "$@" ;;
    try) fl_redis_try "$@" ;;
  esac
}

fl_in_redis() { # CONTAINER VARIABLE SCRIPT [WORD…]: the password never leaves the container
  fl_at=$1 fl_variable=$2 fl_script=$3
  shift 3
  # shellcheck disable=SC2016  # it expands in the container
  docker exec -i "$fl_at" sh -c '
    [ -z "$1" ] || { eval "REDISCLI_AUTH=\$$1"; export REDISCLI_AUTH; }
    shift; '"$fl_script" sh "$fl_variable" "$@"
}

fl_redis_size() { # CONTAINER VARIABLE: KiB of its memory
  fl_in_redis "$1" "$2" 'redis-cli INFO memory' | tr -d '\r' | awk -F: '/^used_memory:/ { print int($2 / 1024) + 1 }'
}

fl_redis_dump() { # CONTAINER VARIABLE: the RDB file of this moment
  # `redis-cli --rdb` would wait out the server's repl-diskless-sync-delay, 5 s, first.
  # shellcheck disable=SC2016
  fl_in_redis "$1" "$2" '
    get() { redis-cli CONFIG GET "$1" | tail -n 1; }
    saving() { redis-cli INFO persistence | grep -q "_in_progress:1"; }
    file=$(get dir)/$(get dbfilename)
    [ -e "$file" ] && was=there || was=absent
    while saving; do sleep 0.1 2>/dev/null || sleep 1; done
    said=$(redis-cli BGSAVE)
    case $said in *started*) ;; *) echo "redis: BGSAVE: $said" >&2; exit 1 ;; esac
    while saving; do sleep 0.1 2>/dev/null || sleep 1; done
    redis-cli INFO persistence | grep -q "^rdb_last_bgsave_status:ok" ||
      { echo "redis: BGSAVE failed; its log tells why" >&2; exit 1; }
    cat "$file" || exit 1
    [ "$was" = there ] || rm -f "$file"'
}

fl_redis_check() { # IMAGE VARIABLE, the dump on stdin: redis-check-rdb of the same version reads it all
  fl_said=$(docker run --rm -i --network none --entrypoint sh "$1" -c \
    'cat >/tmp/dump.rdb && redis-check-rdb /tmp/dump.rdb' 2>&1) ||
    { printf '%s\n' "$fl_said" | grep -i err | head -n 3 >&2 && return 1; }
}

fl_redis_serve() { # CONTAINER FILE: a Redis in a throwaway container that holds the dump's data
  # shellcheck disable=SC2016
  gunzip -c "$2" | docker exec -i "$1" sh -c 'mkdir -p /tmp/fl && cat >/tmp/fl/dump.rdb' &&
    docker exec -d "$1" redis-server --dir /tmp/fl --save '' --appendonly no --protected-mode no \
      --repl-diskless-sync no &&
    docker exec "$1" sh -c '
      for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        said=$(redis-cli PING 2>&1)
        while case $said in *LOADING*) ;; *) false ;; esac do sleep 1; said=$(redis-cli PING 2>&1); done
        [ "$said" != PONG ] || exit 0
        sleep 0.2 2>/dev/null || sleep 1
      done
      echo "redis: the dump cannot be loaded: $said" >&2; exit 1'
}

fl_redis_restore() { # CONTAINER FILE VARIABLE
  fl_live=$1 fl_dump=$2 fl_secret=$3
  fl_network=$(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$1")
  fl_network=${fl_network%% *}
  [ "$fl_network" != host ] || fl_network=bridge
  fl_away=$(fl_throwaway "$(docker inspect --format '{{.Image}}' "$1")" "$fl_network") &&
    fl_redis_serve "$fl_away" "$fl_dump" || return 1
  fl_address=$(docker inspect --format "{{with index .NetworkSettings.Networks \"$fl_network\"}}{{.IPAddress}}{{end}}" "$fl_away")
  # It is a replica for as long as it takes, and its own master again whatever comes of it. When that
  # fails (125), whether it has dropped its own data depends on its version and its settings.
  # shellcheck disable=SC2016
  fl_in_redis "$fl_live" "$fl_secret" '
    redis-cli REPLICAOF "$1" 6379 | grep -q OK || exit 1
    came=no left=600
    while [ "$left" -gt 0 ]; do
      told=$(redis-cli INFO replication | tr -d "\r")
      case $told in *master_link_status:up*) came=yes; break ;; esac
      case $told in *master_sync_in_progress:1*) ;; *) left=$((left - 10)) ;; esac
      sleep 0.2 2>/dev/null || sleep 1
    done
    redis-cli REPLICAOF NO ONE | grep -q OK || { echo "redis: REPLICAOF NO ONE failed" >&2; exit 125; }
    [ "$came" = yes ] || { echo "redis: the data did not arrive" >&2; exit 125; }' "$fl_address" || return
  fl_keys=$(docker exec "$fl_away" redis-cli INFO keyspace | fl_redis_lasting)
  [ "$(fl_in_redis "$fl_live" "$fl_secret" 'redis-cli INFO keyspace' | fl_redis_lasting)" = "$fl_keys" ] ||
    { echo "redis: it does not hold the keys of the backup" >&2 && return 125; }
}

fl_redis_lasting() { # stdin: INFO keyspace; how many keys of each database do not expire meanwhile
  tr -d '\r' | awk -F '[:=,]' '/^db/ && $3 > $5 { print $1, $3 - $5 }'
}

fl_redis_try() { # IMAGE FILE QUERY VARIABLE
  fl_away=$(fl_throwaway "$1" none) && fl_redis_serve "$fl_away" "$2" || return 1
  # shellcheck disable=SC2016,SC2086  # the query is words for redis-cli
  docker exec "$fl_away" redis-cli ${3:-DBSIZE}
}
