# Images fetched from a registry, with a login that does not stay.

fl_pull() { # REFERENCE…: fetch images by digest, those that are missing
  for fl_reference in "$@"; do
    docker image inspect "$fl_reference" >/dev/null 2>&1 && continue
    docker pull "$fl_reference" 2>&1 | fl_pull_progress "${fl_reference%@*}"
    docker image inspect "$fl_reference" >/dev/null 2>&1 ||
      fl_fail "docker pull $fl_reference failed" 69
  done
}

fl_pull_as() { # SERVER USER REFERENCE…: fl_pull, logged in with the password on stdin for that long
  # In a Docker configuration of its own: nothing of the login stays, and the host's own is not touched.
  (
    fl_login=$FL_BASE/login
    trap 'exit 143' TERM INT
    trap 'rm -rf "$fl_login"' EXIT
    rm -rf "$fl_login" # of one that was killed
    (umask 077 && mkdir -p "$fl_login") || exit 1
    DOCKER_HOST=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)} || :
    DOCKER_CONFIG=$fl_login
    export DOCKER_HOST DOCKER_CONFIG
    docker login --username "$2" --password-stdin "$1" >"$fl_login/said" 2>&1 ||
      fl_fail "docker login to $1 as $2 failed: $(grep -v ^WARNING "$fl_login/said" | tail -n 1)" 69
    shift 2
    fl_pull "$@"
  )
}

fl_pull_progress() { # NAME: docker pull's lines as `@pull DONE TOTAL NAME`, its complaints to stderr
  awk -v name="${1##*/}" '
    / Pulling fs layer$/ { total++; next }
    / Already exists$/ { total++; done++; next }
    / Pull complete$/ { printf "@pull %d %d %s\n", ++done, total, name; fflush(); next }
    /^Status: / { if (done < 1) done = total; printf "@pull %d %d %s\n", done, total, name; next }
    !/: (Waiting|Verifying Checksum|Download complete)$/ && !/^Digest: / && !/: Pulling from / {
      if ($0 !~ /@sha256:/ || /rror/) print >"/dev/stderr"
    }'
}
