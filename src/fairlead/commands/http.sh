# One HTTP request from a host, with whatever the host has: curl, perl, or the router's own bash.

fl_http() { # ADDRESS PORT METHOD PATH HOST SECONDS [https]: the raw answer, or why there is none
  # The last word is what the router says of visitors who come so; it is asked in plain HTTP always.
  fl_limit=$(fl_whole "$6")
  if command -v curl >/dev/null 2>&1; then
    if [ "$3" = HEAD ]; then fl_method=--head; else fl_method="-X$3"; fi
    curl -sS -i --raw --http1.1 --max-time "$fl_limit" "$fl_method" -H "Host: $5" \
      ${7:+-H "X-Forwarded-Proto: $7"} "http://$1:$2$4" 2>&1
  elif command -v perl >/dev/null 2>&1; then
    fl_http_perl "$1" "$2" "$3" "$4" "$5" "$fl_limit" "${7:-}" 2>&1
  else
    docker exec fairlead-router timeout "$fl_limit" bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 7
      printf "%s %s HTTP/1.1\r\nHost: %s\r\n" "$3" "$4" "$5" >&3
      [ -z "$6" ] || printf "X-Forwarded-Proto: %s\r\n" "$6" >&3
      printf "Content-Length: 0\r\nConnection: close\r\n\r\n" >&3
      cat <&3' fl_http "$1" "$2" "$3" "$4" "$5" "${7:-}" 2>&1
  fi
}

fl_http_perl() { # as fl_http; perl-base is what Debian and Ubuntu always have
  # A sockaddr_in packed by hand: loading Perl's module for it takes longer than most answers.
  # shellcheck disable=SC2016  # the variables are Perl's
  perl -e '
    my ($address, $port, $method, $path, $host, $limit, $proto) = @ARGV;
    $SIG{ALRM} = sub { print "no answer in $limit s\n"; exit 28 };
    alarm $limit;
    socket(S, 2, 1, 0) && connect(S, pack("S n C4 x8", 2, $port, split(/\./, $address)))
      or do { print "cannot connect to $address:$port: $!\n"; exit 7 };
    syswrite S, "$method $path HTTP/1.1\r\nHost: $host\r\nUser-Agent: fairlead\r\n"
      . ($proto ? "X-Forwarded-Proto: $proto\r\n" : "") . "Content-Length: 0\r\nConnection: close\r\n\r\n";
    local $/;
    my $answer = <S> // "";
    print length $answer ? $answer : "the connection was closed without an answer\n";
  ' "$@"
}

fl_whole() { # SECONDS: rounded up, and one more: the judge decides, this only ends it
  case $1 in
    *[!0-9]*) printf '%s\n' "$1" | awk '{ print int($1 + 0.999) + 1 }' ;;
    *) echo "$(($1 + 1))" ;;
  esac
}

fl_clock() { # hundredths of a second, which not every date can tell; no clock set anew disturbs it
  read -r fl_up _ </proc/uptime
  echo "${fl_up%.*}${fl_up#*.}"
}

fl_since() { # CLOCK: seconds since then
  fl_took=$(($(fl_clock) - $1))
  printf '%d.%02d0\n' "$((fl_took / 100))" "$((fl_took % 100))"
}

fl_ask() { # INDEX ADDRESS PORT METHOD PATH HOST SECONDS [https]: @http INDEX SOURCE SECONDS BASE64
  fl_index=$1
  shift
  fl_from=$(fl_clock)
  fl_answer=$(fl_http "$@" | head -c 65536 | base64 | tr -d '\n') || :
  printf '@http %s %s %s %s\n' "$fl_index" "$1:$2" "$(fl_since "$fl_from")" "$fl_answer"
}

fl_ask_containers() { # INDEX PROJECT BACKEND PORT METHOD PATH HOST SECONDS [https]: ask each itself
  # Where they are, the router knows best: the wait for health has just made sure that it sees these
  # and no others. Looked up once for all checks of a step, which follow one another within seconds.
  fl_check=$1 fl_backend=$3
  shift 3
  if [ "${fl_looked_up:-}" != "$fl_backend" ]; then
    fl_addresses=$(fl_servers_listed "$fl_backend" | awk '$2 != "-" { print $2 }')
    fl_looked_up=$fl_backend
  fi
  for fl_address in $fl_addresses; do
    fl_ask "$fl_check" "$fl_address" "$@"
  done
}

fl_ask_router() { # INDEX PORT|https METHOD PATH HOST SECONDS: ask through this host's router
  fl_check=$1
  fl_reach "$2"
  shift 2
  fl_ask "$fl_check" "$fl_there" "$fl_port" "$@" "$fl_proto"
}

fl_reach() { # PORT|https: as a visitor who came to this port, or over TLS: fl_there fl_port fl_proto
  # Not every host can speak TLS, so it asks where the router takes TLS for ended already. Where the
  # router has to ask itself (fl_http), the port that it is published at is not there.
  fl_there=127.0.0.1 fl_port=$1 fl_proto=''
  if [ "$1" = https ]; then
    fl_port=8081 fl_proto=https
  elif command -v curl >/dev/null 2>&1 || command -v perl >/dev/null 2>&1; then
    return 0
  else
    fl_port=8080
  fi
  fl_there=$(docker inspect --format "{{with index .NetworkSettings.Networks \"$rt_home\"}}{{.IPAddress}}{{end}}" fairlead-router) &&
    [ -n "$fl_there" ] || fl_fail "no router runs on this host"
}

fl_status_fits() { # STATUS WANTED: is 204 among 200-299,404
  for fl_range in $(echo "$2" | tr ',' ' '); do
    [ "$1" -lt "${fl_range%-*}" ] || [ "$1" -gt "${fl_range#*-}" ] || return 0
  done
  return 1
}

fl_smoke() { # PORT|https NAME METHOD PATH HOST SECONDS STATUS CONTAINS [KEY=VALUE…]: judge one check
  fl_reach "$1"
  fl_name=$2 fl_most=$6 fl_wanted=$7 fl_text=$8
  fl_from=$(fl_clock)
  fl_raw=$(fl_http "$fl_there" "$fl_port" "$3" "$4" "$5" "$6" "$fl_proto") || :
  fl_took=$(fl_since "$fl_from")
  shift 8
  fl_body=$(printf '%s\n' "$fl_raw" | awk 'body { print } /^\r?$/ { body = 1 }')
  fl_code=$(printf '%s\n' "$fl_raw" | sed -n '1s|^HTTP/[0-9.]* \([0-9]*\).*|\1|p')
  if [ -z "$fl_code" ]; then
    fl_smoke_failed "$(printf '%s\n' "$fl_raw" | head -n 1)"
  elif ! fl_status_fits "$fl_code" "$fl_wanted"; then
    fl_smoke_failed "HTTP $fl_code, expected $fl_wanted"
  elif ! printf '%s\n' "$fl_body" | grep -qF -- "$fl_text"; then
    fl_smoke_failed "the body does not contain '$fl_text'"
  elif ! fl_smoke_holds "$@"; then
    fl_smoke_failed "the body does not hold $fl_pair"
  elif [ "$(echo "$fl_took $fl_most" | awk '{ print ($1 > $2) }')" = 1 ]; then
    fl_smoke_failed "took $fl_took s, at most $fl_most s allowed"
  else
    echo "passed  $fl_name"
  fi
}

fl_smoke_holds() { # KEY:VALUE…: JSON without a JSON reader, so the last key of a path and its value
  fl_packed=$(printf '%s' "$fl_body" | tr -d ' \t\r\n')
  for fl_pair in "$@"; do
    fl_bare=$(printf '%s' "$fl_pair" | tr -d ' \t')
    printf '%s\n' "$fl_packed" | grep -qF -e "$fl_bare," -e "$fl_bare}" || return 1
  done
}

fl_smoke_failed() { # WHY
  echo "FAILED  $fl_name: $1"
  fl_smoke_faults=$((${fl_smoke_faults:-0} + 1))
}
