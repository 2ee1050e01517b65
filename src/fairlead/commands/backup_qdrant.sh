# Qdrant, by its HTTP API, collection by collection.
# DETAILS: the variable in the container that holds the API key, the port, the collections (none: all).
# Its image has no program that speaks HTTP, and a host need not have one: bash speaks it, here or in
# the router's container. A dump is a tar with a snapshot of each collection.

fl_kind_qdrant() { # size | dump | check | restore | try, and what that function wants
  fl_verb=$1
  shift
  case $fl_verb in
    size) fl_qdrant_size "$@" ;;
    dump) fl_qdrant_dump "$@" ;;
    check) fl_qdrant_check "$@" ;;
    restore) fl_qdrant_restore "$@" ;;
    try) fl_qdrant_try "$@" ;;
  esac
}

fl_tcp() { # ADDRESS PORT: what comes on stdin is sent there, what it answers is printed
  # A command in the background has no stdin unless it is given one.
  # shellcheck disable=SC2016
  fl_say='exec 3<>"/dev/tcp/$1/$2" 4<&0 || exit 7; cat <&4 >&3 & cat <&3; wait $!'
  if command -v bash >/dev/null 2>&1; then
    bash -c "$fl_say" bash "$1" "$2"
  else
    docker exec -i fairlead-router bash -c "$fl_say" bash "$1" "$2"
  fi
}

fl_qdrant_ask() { # METHOD PATH [FILE]: the body of a good answer; a file is sent as an upload
  fl_boundary=fairlead-7f3a fl_sent=${3:-/dev/null} fl_head='' fl_tail=''
  if [ -n "${3:-}" ]; then
    fl_head=$(printf -- '--%s\r\nContent-Disposition: form-data; name="snapshot"; filename="s"\r\nContent-Type: application/octet-stream\r\n\r\n.' "$fl_boundary")
    fl_tail=$(printf -- '\r\n--%s--\r\n.' "$fl_boundary")
    fl_head=${fl_head%.} fl_tail=${fl_tail%.}
  fi
  {
    printf '%s %s HTTP/1.0\r\nHost: qdrant\r\nConnection: close\r\n' "$1" "$2"
    [ -z "$fl_api_key" ] || printf 'api-key: %s\r\n' "$fl_api_key"
    [ -z "${3:-}" ] || printf 'Content-Type: multipart/form-data; boundary=%s\r\n' "$fl_boundary"
    printf 'Content-Length: %s\r\n\r\n%s' "$((${#fl_head} + ${#fl_tail} + $(fl_bytes "$fl_sent")))" "$fl_head"
    cat "$fl_sent"
    printf '%s' "$fl_tail"
  } | fl_tcp "$fl_address" "$fl_port" | fl_http_body "$1 $2"
}

fl_http_body() { # WHAT, a raw answer on stdin: its body, byte for byte; fails unless it is a 2xx
  IFS= read -r fl_line || { echo "qdrant: no answer to $1" >&2 && return 1; }
  fl_code=$(printf '%s' "$fl_line" | cut -d ' ' -f 2)
  while IFS= read -r fl_line && [ "$(printf '%s' "$fl_line" | tr -d '\r')" ]; do :; done
  case $fl_code in
    2??) cat ;;
    *) echo "qdrant: $1: $fl_code $(head -c 300 | tr -cd '\040-\176')" >&2 && return 1 ;;
  esac
}

fl_qdrant_at() { # CONTAINER VARIABLE PORT: sets where it is and what it wants to hear
  fl_port=$3 fl_api_key=''
  fl_address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$1") || return 1
  fl_address=${fl_address%% *}
  [ -n "$fl_address" ] || fl_address=127.0.0.1 # network_mode: host
  [ -z "$2" ] || fl_api_key=$(docker exec "$1" printenv "$2")
}

fl_qdrant_names() { # [COLLECTION…]: these, else all there are
  if [ $# -gt 0 ]; then printf '%s\n' "$@"; else
    fl_listed=$(fl_qdrant_ask GET /collections) &&
      printf '%s' "$fl_listed" | grep -o '"name": *"[^"]*"' | cut -d '"' -f 4
  fi
}

fl_qdrant_size() { # CONTAINER VARIABLE PORT COLLECTION…: KiB, twice its storage, as snapshots are staged
  fl_at=$1
  shift 3
  # shellcheck disable=SC2016  # it expands in the container
  fl_kib=$(docker exec "$fl_at" sh -c 'cd "${QDRANT__STORAGE__STORAGE_PATH:-/qdrant/storage}/collections" &&
    { [ $# -gt 0 ] || set -- .; } && du -skc "$@" | tail -n 1' sh "$@" 2>/dev/null | cut -f 1)
  case $fl_kib in '' | *[!0-9]*) fl_kib=0 ;; esac # it keeps them elsewhere: it does not tell
  echo $((2 * fl_kib))
}

fl_qdrant_dump() { # CONTAINER VARIABLE PORT COLLECTION…
  fl_qdrant_at "$1" "$2" "$3" || return 1
  shift 3
  # shellcheck disable=SC2154  # of fl_backup_data
  fl_kept="$fl_file.staged"
  mkdir -p "$fl_kept" && fl_names=$(fl_qdrant_names "$@") || return 1
  for fl_collection in $fl_names; do
    fl_made=$(fl_qdrant_ask POST "/collections/$fl_collection/snapshots?wait=true" | grep -o '"name": *"[^"]*"' | head -n 1 | cut -d '"' -f 4)
    [ -n "$fl_made" ] || return 1
    fl_snapshot=/collections/$fl_collection/snapshots/$fl_made fl_got=yes
    fl_qdrant_ask GET "$fl_snapshot" >"$fl_kept/$fl_collection.snapshot" || fl_got=no
    # Be it here or not: it takes room in Qdrant until it is gone there.
    fl_qdrant_ask DELETE "$fl_snapshot" >/dev/null || fl_got=no
    [ "$fl_got" = yes ] || return 1
  done
  tar -cf - -C "$fl_kept" . && rm -rf "$fl_kept"
}

fl_qdrant_check() { # IMAGE …, the dump on stdin
  tar -tf - >/dev/null
}

fl_qdrant_load() { # FILE: every collection of the dump, each replaced as a whole by Qdrant itself
  fl_kept=$(mktemp -d) || return 1
  gunzip -c "$1" | tar -xf - -C "$fl_kept" && fl_code=0 || fl_code=1
  for fl_snapshot in "$fl_kept"/*.snapshot; do
    [ "$fl_code" = 0 ] && [ -f "$fl_snapshot" ] || continue
    fl_collection=${fl_snapshot##*/}
    fl_qdrant_ask POST "/collections/${fl_collection%.snapshot}/snapshots/upload?priority=snapshot&wait=true" \
      "$fl_snapshot" >/dev/null || fl_code=1
  done
  rm -rf "$fl_kept"
  return "$fl_code"
}

fl_qdrant_restore() { # CONTAINER FILE VARIABLE PORT COLLECTION…
  fl_qdrant_at "$1" "$3" "$4" && fl_qdrant_load "$2"
}

fl_qdrant_try() { # IMAGE FILE QUERY VARIABLE PORT COLLECTION…: the query is a path
  fl_away=$(docker run -d --label "fairlead.throwaway=${fl_away_of:-$FL_KEY}" "$1") && fl_qdrant_at "$fl_away" '' "$5" || return 1
  for fl_round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    fl_qdrant_ask GET /collections >/dev/null 2>&1 && break
    [ "$fl_round" -lt 20 ] || fl_fail "qdrant: it does not start"
    sleep 0.5 2>/dev/null || sleep 1
  done
  fl_qdrant_load "$2" && fl_qdrant_ask GET "${3:-/collections}"
}
