# A volume: its files as a tar. DETAILS: the volume, and an image with sh and tar, or nothing.

fl_kind_volume() { # size | dump | check | restore | try, and what that function wants
  fl_verb=$1
  shift
  case $fl_verb in
    size) fl_volume_size "$@" ;;
    dump) fl_volume_dump "$@" ;;
    check) fl_volume_check "$@" ;;
    restore) fl_volume_restore "$@" ;;
    try) fl_volume_try "$@" ;;
  esac
}

fl_volume_image() { # IMAGE VOLUME [IMAGE]: the image that looks after it; the volume must be there
  docker volume inspect "$2" >/dev/null || return 1
  echo "${3:-$1}"
}

fl_volume_size() { # CONTAINER VOLUME [IMAGE]: KiB
  fl_image=$(fl_volume_image "$(docker inspect --format '{{.Image}}' "$1")" "$2" "${3:-}") || return 1
  docker run --rm --network none --user 0 -v "$2:/volume:ro" --entrypoint du "$fl_image" -sk /volume | cut -f 1
}

fl_volume_dump() { # CONTAINER VOLUME [IMAGE]: by the engine, so that the image needs nothing for it
  fl_image=$(fl_volume_image "$(docker inspect --format '{{.Image}}' "$1")" "$2" "${3:-}") &&
    fl_away=$(docker create --network none --label "fairlead.throwaway=${fl_away_of:-$FL_KEY}" -v "$2:/volume:ro" \
      --entrypoint true "$fl_image") || return 1
  docker cp -a "$fl_away:/volume/." - && fl_code=0 || fl_code=1
  docker rm -f "$fl_away" >/dev/null
  return "$fl_code"
}

fl_volume_check() { # IMAGE VOLUME [IMAGE], the dump on stdin
  tar -tf - >/dev/null
}

fl_volume_restore() { # CONTAINER FILE VOLUME [IMAGE]: unpacked beside the old files, then put in their place
  # The new ones wait in .fl-new. While the old ones are moved to .fl-old all others are old, too;
  # once they are in .fl-was all others are new. What was killed is put right by that (back).
  fl_image=$(fl_volume_image "$(docker inspect --format '{{.Image}}' "$1")" "$3" "${4:-}") || return 1
  fl_ran=$(docker inspect --format '{{.State.Running}}' "$1")
  docker stop "$1" >/dev/null || return 1
  gunzip -c "$2" | docker run --rm -i --network none --user 0 --label "fairlead.throwaway=${fl_away_of:-$FL_KEY}" \
    -v "$3:/volume" --entrypoint sh "$fl_image" -c '
      cd /volume || exit 1
      within() { at=$1; shift; find "$at" -mindepth 1 -maxdepth 1 ! -name .fl-new ! -name .fl-old ! -name .fl-was "$@"; }
      move() { within "$1" -exec mv {} "$2"/ \; ; [ -z "$(within "$1")" ]; }
      back() {
        if [ -d .fl-was ]; then within . -exec rm -rf {} + && mv .fl-was .fl-old || return 1; fi
        if [ -d .fl-old ]; then move .fl-old . || return 1; fi
        rm -rf .fl-new .fl-old
      }
      back || exit 125
      mkdir .fl-new && tar -xpf - -C .fl-new || { rm -rf .fl-new; exit 1; }
      rm -rf .fl-new/.fl-new .fl-new/.fl-old .fl-new/.fl-was
      mkdir .fl-old && move . .fl-old && mv .fl-old .fl-was && move .fl-new . || { back || exit 125; exit 1; }
      rm -rf .fl-new && mv .fl-was .fl-new || exit 125
      rm -rf .fl-new || :' && fl_code=0 || fl_code=$?
  [ "$fl_ran" != true ] || docker start "$1" >/dev/null
  return "$fl_code"
}

fl_volume_try() { # IMAGE FILE QUERY VOLUME [IMAGE]: the query is a line of shell in the files' folder
  # shellcheck disable=SC2016  # it expands in the container
  gunzip -c "$2" | docker run --rm -i --network none --user 0 --label "fairlead.throwaway=${fl_away_of:-$FL_KEY}" \
    --entrypoint sh "${5:-$1}" -c 'mkdir /tmp/fl && cd /tmp/fl && tar -xpf - && eval "$1"' sh \
    "${3:-find . -type f | wc -l}"
}
