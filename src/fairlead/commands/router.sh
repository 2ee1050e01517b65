# The router of a host: one HAProxy container for all applications, its files under $FL_ROUTER.
#   base.cfg haproxy.cfg conf.d/<key>-<slot>.cfg certificates/<key>.pem   what it is configured with
#   maps/routes.map maps/live.map                                        where requests go
#   run/                                                                 its sockets
# The container sees $FL_ROUTER as /fairlead. All that changes it holds a lock on that directory.

# -- talking to it

fl_router_api() { # COMMAND…: say lines to the router's runtime API, print what it answers
  # Asks the master process, which passes on (`@1`) to the newest worker: one that a reload is just
  # replacing never hears it. The last command may bring a payload of its own (`<<`).
  { printf '@1 %s\n' "$@" && echo quit; } | fl_router_send
}

fl_router_send() { # stdin to the master's socket, its answer to stdout: socat, nc, perl, docker exec
  # The first of these that the host has; perl-base is in the router's own Debian image too.
  rt_socket=$FL_ROUTER/run/master.sock
  # Linux's sockaddr_un packed by hand: loading Perl's module for it takes longer than all the rest.
  rt_perl='socket(S, 1, 1, 0) && connect(S, pack("S a108", 1, shift)) or die "$!\n";
    syswrite(S, join("", <STDIN>)); print while <S>'
  if [ ! -w "$rt_socket" ]; then
    timeout 15 docker exec -i fairlead-router perl -e "$rt_perl" /fairlead/run/master.sock
  elif command -v socat >/dev/null 2>&1; then
    timeout 10 socat -t 10 - "UNIX-CONNECT:$rt_socket"
  elif command -v nc >/dev/null 2>&1 && nc -h 2>&1 | grep -q -e '-[a-zA-Z]*U'; then
    timeout 10 nc -U "$rt_socket"
  elif command -v perl >/dev/null 2>&1; then
    timeout 10 perl -e "$rt_perl" "$rt_socket"
  else
    timeout 15 docker exec -i fairlead-router perl -e "$rt_perl" /fairlead/run/master.sock
  fi
}

fl_router_workers() { # process ids of its workers: the newest, and those finishing after a reload
  printf 'show proc\nquit\n' | fl_router_send | awk '$2 == "worker" && $1 + 0 { print $1 }'
}

fl_same() { # FILE FILE: the same content
  [ -f "$1" ] && [ -f "$2" ] && [ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]
}

fl_router_locked() ( # COMMAND…: run it alone among all that change the router of this host
  exec 9<"$FL_ROUTER" || fl_fail "$FL_ROUTER cannot be read; nothing was changed"
  timeout 60 flock 9 || fl_fail "another change of this router takes more than a minute; nothing was changed"
  umask 007
  "$@"
)

# -- the container

# Its published ports belong to the first of its networks in alphabetical order: joining one before
# that would cut all connections.
rt_home=0-fairlead-router

fl_router_up() { # IMAGE HTTP_PORT HTTPS_PORT [CERTIFICATE]: the router runs so, configured by stdin
  # Quick and without effect when it does. Another configuration or certificate is loaded without
  # losing a request; another image or port replaces the container, which costs about a second.
  fl_router_directories
  fl_router_locked fl_router_up_now "$@"
}

fl_router_up_now() {
  fl_router_stage
  cat >"$FL_ROUTER/next/base.cfg" || fl_fail "$FL_ROUTER cannot be written; nothing was changed"
  fl_router_certificate "${4:-}"
  fl_router_render
  docker network inspect "$rt_home" >/dev/null 2>&1 || docker network create "$rt_home" >/dev/null
  if [ "$(fl_router_label)" = "running $1 $2 $3" ]; then
    fl_router_commit
  else
    fl_router_replace "$1" "$2" "$3"
  fi
}

fl_router_label() { # state, image and ports of the container as it is; nothing when there is none
  docker inspect --format '{{.State.Status}} {{index .Config.Labels "fairlead.router"}}' fairlead-router 2>/dev/null || :
}

fl_router_group() { # the group that may use Docker: it may drive the router too
  case ${DOCKER_HOST:-} in
    unix://*) stat -c %g "${DOCKER_HOST#unix://}" ;;
    *) stat -c %g /var/run/docker.sock ;;
  esac
}

fl_router_directories() {
  [ ! -d "$FL_ROUTER/run" ] || return 0
  (
    mkdir -p "$FL_ROUTER" && umask 007 &&
      mkdir -p "$FL_ROUTER/conf.d" "$FL_ROUTER/certificates" "$FL_ROUTER/maps" &&
      touch "$FL_ROUTER/maps/routes.map" "$FL_ROUTER/maps/live.map" "$FL_ROUTER/base.cfg" "$FL_ROUTER/haproxy.cfg" &&
      chgrp -R "$(fl_router_group)" "$FL_ROUTER" &&
      find "$FL_ROUTER" -type d -exec chmod 2770 {} + &&
      mkdir "$FL_ROUTER/run"
  ) || fl_fail "$FL_ROUTER cannot be made by $(id -un); nothing was started"
}

fl_router_certificate() { # FILE: stage a copy that the router may read; without one, none
  # Its place is remembered, so that a renewed one is noticed (fl_observe_router).
  rm -f "$FL_ROUTER/next/certificates/$FL_KEY.pem" "$FL_ROUTER/certificate-$FL_KEY"
  [ -n "$1" ] || return 0
  cat "$1" >"$FL_ROUTER/next/certificates/$FL_KEY.pem" ||
    fl_fail "certificate $1 cannot be read by $(id -un) on this host; nothing was changed"
  printf '%s\n' "$1" >"$FL_ROUTER/certificate-$FL_KEY"
}

fl_router_replace() { # IMAGE HTTP_PORT HTTPS_PORT: a container like this, instead of what there is
  # The old one is kept until the new one answers, and takes over again if it never does.
  docker image inspect "$1" >/dev/null 2>&1 || docker pull "$1" >&2 || fl_fail "docker pull $1 failed; the router is as it was"
  fl_router_valid docker run --rm -i --network none -v "$FL_ROUTER:/fairlead:z" \
    --tmpfs /state:mode=1777 -e FAIRLEAD=/fairlead/next --user "99:$(fl_router_group)" --entrypoint sh "$1"
  fl_router_install "$FL_ROUTER/next"
  docker rm -f fairlead-router-old >/dev/null 2>&1 || :
  if docker rename fairlead-router fairlead-router-old 2>/dev/null; then
    echo "replacing the router by one with image and ports $*: no answer for about a second" >&2
    docker update --restart no fairlead-router-old >/dev/null
    docker stop -t 2 fairlead-router-old >/dev/null
  fi
  rt_why=$({ fl_router_create "$@" && fl_router_started; } 2>&1) || fl_router_unreplace "$2" "$3"
  docker rm -f fairlead-router-old >/dev/null 2>&1 || :
  fl_router_digest >"$FL_ROUTER/run/loaded"
}

fl_router_create() { # IMAGE HTTP_PORT HTTPS_PORT: made, joined to all slots' networks, started
  # ndots:1 keeps Docker from asking other name servers for a container that is not there.
  docker create --name fairlead-router --restart always --stop-signal SIGTERM --network "$rt_home" \
    --label "fairlead.router=$*" -p "$2:8080" -p "$3:8443" --dns-opt ndots:1 \
    -v "$FL_ROUTER:/fairlead:z" --tmpfs /state:mode=1777 -e FAIRLEAD=/fairlead --user "99:$(fl_router_group)" \
    --read-only --cap-drop ALL --security-opt no-new-privileges --log-driver local \
    --entrypoint haproxy "$1" -W -db -S /fairlead/run/master.sock,mode,660 \
    -f /fairlead/haproxy.cfg -f /fairlead/conf.d >/dev/null || return 1
  for rt_network in $(fl_router_slots); do
    docker network connect "$rt_network" fairlead-router >/dev/null || return 1
  done
  docker start fairlead-router >/dev/null
}

fl_router_slots() { # the networks of the slots it has a configuration for: they are called alike
  for rt_file in "$FL_ROUTER"/conf.d/*.cfg; do
    rt_network=${rt_file##*/}
    ! docker network inspect "${rt_network%.cfg}" >/dev/null 2>&1 || echo "${rt_network%.cfg}"
  done
}

fl_router_started() { # wait until it answers, for ten seconds
  rt_deadline=$(($(date +%s) + 10))
  until fl_router_api 'show version' 2>/dev/null | grep -q .; do
    if [ "$(date +%s)" -gt "$rt_deadline" ]; then
      docker logs --tail 5 fairlead-router 2>&1
      return 1
    fi
    fl_nap
  done
}

fl_router_unreplace() { # HTTP_PORT HTTPS_PORT: the old one again, and say in $rt_why's words why
  docker rm -f fairlead-router >/dev/null 2>&1 || :
  rt_state="no router runs on this host"
  if docker rename fairlead-router-old fairlead-router 2>/dev/null; then
    fl_router_install "$FL_ROUTER/previous"
    docker update --restart always fairlead-router >/dev/null
    docker start fairlead-router >/dev/null && rt_state="the old one runs again"
  fi
  case $rt_why in
    *'already allocated'* | *'already in use'*)
      rt_taken=$(docker ps --format '{{.Names}} {{.Ports}}' | grep -e ":$1->" -e ":$2->" | cut -d ' ' -f 1 | tr '\n' ' ')
      fl_fail "the router needs ports $1 and $2 of this host, and one is taken${rt_taken:+ by container $rt_taken}; \
$rt_state. Docker says: $rt_why. Free it, or set router.http_port and router.https_port" ;;
    *) fl_fail "the router did not start; $rt_state. $rt_why" ;;
  esac
}

fl_router_connect() { # NETWORK…: the router is in these networks too
  rt_joined=$(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}} {{$name}} {{end}}' \
    fairlead-router) || fl_fail "there is no router on this host"
  for rt_network in "$@"; do
    case $rt_joined in *" $rt_network "*) continue ;; esac
    rt_why=$(docker network connect "$rt_network" fairlead-router 2>&1) || case $rt_why in
      *'already exists'*) ;;
      *) fl_fail "the router cannot join network $rt_network: $rt_why" ;;
    esac
  done
}

# -- its configuration: staged as a whole in next/, tried there, then put in place and loaded

fl_router_apply() { # NAME CONFIG_FILE: NAME's backends are as in this file, and loaded
  # A file that HAProxy does not accept changes nothing; an equal one does nothing.
  fl_router_locked fl_router_apply_now "$@"
}

fl_router_apply_now() {
  if fl_same "$2" "$FL_ROUTER/conf.d/$1.cfg" && fl_router_is_loaded; then return 0; fi
  fl_router_stage
  cat "$2" >"$FL_ROUTER/next/conf.d/$1.cfg" || fl_fail "$2 cannot be copied to $FL_ROUTER; nothing was changed"
  fl_router_commit
}

fl_router_forget() { # KEY: nothing of this application is left in the router; its networks neither
  fl_router_locked fl_router_forget_now "$1"
}

fl_router_forget_now() {
  FL_KEY=$1
  : >"$FL_ROUTER/maps/.none"
  fl_router_routes_now "$1" "$FL_ROUTER/maps/.none"
  rm -f "$FL_ROUTER/maps/.none"
  fl_switch_now - >/dev/null
  fl_router_stage
  rm -f "$FL_ROUTER/next/conf.d/$1-blue.cfg" "$FL_ROUTER/next/conf.d/$1-green.cfg"
  fl_router_certificate ''
  fl_router_render
  fl_router_commit
  for rt_network in "$1-blue" "$1-green"; do
    docker network disconnect "$rt_network" fairlead-router >/dev/null 2>&1 || :
  done
}

fl_router_stage() { # a copy of the configuration, to be changed
  fl_router_copy next maps/live.map
}

fl_router_copy() { # DIRECTORY [FILE]: a fresh copy of the configuration there, and this file too
  # Told step by step: a disk that is full is not to pass for an empty configuration.
  {
    rm -rf "${FL_ROUTER:?}/$1" && mkdir -p "$FL_ROUTER/$1/maps" &&
      cp -R "$FL_ROUTER/base.cfg" "$FL_ROUTER/haproxy.cfg" "$FL_ROUTER/conf.d" "$FL_ROUTER/certificates" "$FL_ROUTER/$1/" &&
      cp "$FL_ROUTER/maps/routes.map" ${2:+"$FL_ROUTER/$2"} "$FL_ROUTER/$1/maps/"
  } || fl_fail "the router's configuration cannot be copied in $FL_ROUTER; nothing was changed"
}

fl_router_render() { # haproxy.cfg is base.cfg; without its TLS listener while there is no certificate
  if ls "$FL_ROUTER"/next/certificates/*.pem >/dev/null 2>&1; then
    cat "$FL_ROUTER/next/base.cfg" >"$FL_ROUTER/next/haproxy.cfg"
  else
    sed '/ ssl crt /d' "$FL_ROUTER/next/base.cfg" >"$FL_ROUTER/next/haproxy.cfg"
  fi
}

fl_router_commit() { # try what is staged, put it in place, load it; as it was when that fails
  if [ "$(fl_router_digest /next)" = "$(cat "$FL_ROUTER/run/loaded" 2>/dev/null)" ] && fl_router_is_loaded; then
    rm -rf "$FL_ROUTER/next"
    return 0
  fi
  fl_router_valid docker exec -i -e FAIRLEAD=/fairlead/next fairlead-router sh
  fl_router_install "$FL_ROUTER/next"
  fl_router_reload || {
    fl_router_install "$FL_ROUTER/previous"
    fl_fail "the router did not take its new configuration; it serves with the old one. $rt_answer"
  }
}

fl_router_valid() { # SHELL…: does HAProxy accept what is staged; run by this shell in a container
  # The state of its servers goes along: the process that a reload starts begins with it. Not that
  # of the probes, which rest from the start.
  rt_answer=$(fl_router_api 'show servers state' 2>/dev/null | awk '$2 !~ /-probe$/' |
    "$@" -c 'cat >/state/servers; haproxy -c -f /fairlead/next/haproxy.cfg -f /fairlead/next/conf.d' 2>&1) ||
    fl_fail "the router does not accept this configuration, and goes on with the old one: \
$(printf '%s\n' "$rt_answer" | fl_router_alerts)"
}

fl_router_alerts() { # what HAProxy has against a configuration, without its frame
  sed '/^\[[NW]/d; / found in configuration/d; s|^\[[A-Z]*\] *([0-9]*) : config : ||; s|/fairlead/next/||' | head -n 5
}

fl_router_install() { # DIRECTORY: its files take the places of the current ones, which go to previous/
  [ "$1" = "$FL_ROUTER/previous" ] || fl_router_copy previous
  for rt_file in haproxy.cfg base.cfg maps/routes.map; do
    mv -f "$1/$rt_file" "$FL_ROUTER/$rt_file"
  done
  for rt_part in conf.d certificates; do
    for rt_file in "$FL_ROUTER/$rt_part"/*; do
      [ -e "$1/$rt_part/${rt_file##*/}" ] || rm -f "$rt_file"
    done
    for rt_file in "$1/$rt_part"/*; do
      [ ! -e "$rt_file" ] || mv -f "$rt_file" "$FL_ROUTER/$rt_part/"
    done
  done
  rm -rf "$1"
}

fl_router_reload() { # load what is on disk; no request is lost
  rt_answer=$(echo reload | fl_router_send) || return 1
  case $rt_answer in *Success=1*) ;; *) return 1 ;; esac
  docker exec fairlead-router rm -f /state/servers || :
  fl_router_digest >"$FL_ROUTER/run/loaded"
}

fl_router_digest() { # [/next]: one word for the whole configuration
  (cd "$FL_ROUTER${1:-}" && find haproxy.cfg conf.d certificates -type f | LC_ALL=C sort | xargs sha256sum) |
    sha256sum | cut -c 1-64
}

fl_router_is_loaded() { # was what is on disk loaded; not so after a kill between the two
  [ "$(fl_router_digest)" = "$(cat "$FL_ROUTER/run/loaded" 2>/dev/null)" ]
}

# -- routes: host and path → application and service

fl_router_routes() { # KEY ROUTES_FILE: these are KEY's routes, at once; another's are refused
  fl_router_locked fl_router_routes_now "$@"
}

fl_router_routes_now() {
  fl_router_merge "$1" <"$2" >"$FL_ROUTER/maps/routes.new" ||
    fl_fail "a route can lead to one application only; $1's routes are as they were"
  LC_ALL=C sort -o "$FL_ROUTER/maps/routes.new" "$FL_ROUTER/maps/routes.new"
  mv -f "$FL_ROUTER/maps/routes.new" "$FL_ROUTER/maps/routes.map"
  fl_router_routes_loaded || fl_router_load_routes
}

fl_router_merge() { # KEY: routes.map with KEY's lines replaced by those of stdin
  awk -v key="$1" '
    { split($2, owner, "/") }
    there && owner[1] != key { taken[$1] = owner[1]; print }
    there { next }
    $1 in taken { print "route " $1 " belongs to " taken[$1] " already" >"/dev/stderr"; refused = 1; next }
    { print }
    END { exit refused }
  ' there=1 "$FL_ROUTER/maps/routes.map" there=0 -
}

fl_router_routes_loaded() { # does the router go by the routes on file
  [ "$(fl_router_api 'show map /fairlead/maps/routes.map' | awk 'NF == 3 { print $2, $3 }' | LC_ALL=C sort)" = \
    "$(cat "$FL_ROUTER/maps/routes.map")" ]
}

fl_router_load_routes() { # the file's routes instead of the loaded ones, all at the same moment
  rt_map=/fairlead/maps/routes.map
  rt_version=$(fl_router_api "prepare map $rt_map" | sed -n 's/^New version created: //p')
  [ -n "$rt_version" ] || fl_fail "the router does not answer; new routes count from its next start"
  split -l 100 "$FL_ROUTER/maps/routes.map" "$FL_ROUTER/maps/part."
  for rt_file in "$FL_ROUTER"/maps/part.*; do
    [ ! -s "$rt_file" ] || fl_router_api "add map @$rt_version $rt_map <<
$(cat "$rt_file")
" >/dev/null
    rm -f "$rt_file"
  done
  fl_router_api "commit map @$rt_version $rt_map" >/dev/null
  fl_router_routes_loaded || fl_fail "the router did not take the new routes"
}

# -- the live slot: `blue`, `blue:green:3333` (3333 of 10000 requests to green), or `-` for none

fl_switch() { # VALUE: the slot that serves $FL_KEY, from the next request on; @switched KEY VALUE
  # File first, so that a router that restarts now agrees. A host whose router has nothing of this
  # application keeps the value on file only.
  case $1 in
    blue | green | -) ;;
    *[!a-z0-9:]* | *:*:*:*) fl_fail "'$1' is no slot" 2 ;;
    blue:green:[0-9]* | green:blue:[0-9]*) ;;
    *) fl_fail "'$1' is no slot" 2 ;;
  esac
  mkdir -p "$FL_ROUTER/maps"
  fl_router_locked fl_switch_now "$1"
}

fl_switch_now() {
  fl_live_known "$1"
  if rt_now=$(fl_live_runtime 2>/dev/null); then
    fl_live_write "$1"
    fl_live_set "$rt_now" "$1"
  elif fl_router_has blue || fl_router_has green; then
    fl_fail "the router of this host does not answer; $FL_KEY was not switched"
  else
    fl_live_write "$1"
  fi
  printf '@switched %s %s\n' "$FL_KEY" "$1"
}

fl_router_has() { # SLOT: backends of this slot of $FL_KEY
  [ -f "$FL_ROUTER/conf.d/$FL_KEY-$1.cfg" ]
}

fl_live_known() { # VALUE: its slots have backends, if this application has any
  fl_router_has blue || fl_router_has green || return 0
  for rt_slot in blue green; do
    case :$1: in
      *":$rt_slot:"*) fl_router_has "$rt_slot" || fl_fail "the router knows no $rt_slot of $FL_KEY; it was not switched" ;;
    esac
  done
}

fl_live_set() { # FROM TO: the router's own entry, read back
  rt_entry="map /fairlead/maps/live.map $FL_KEY"
  case $1/$2 in
    "$2/$1") rt_change="get $rt_entry" ;;
    */-) rt_change="del $rt_entry" ;;
    -/*) rt_change="add $rt_entry $2" ;;
    *) rt_change="set $rt_entry $2" ;;
  esac
  rt_now=$(fl_live_value "$(fl_router_api "$rt_change" "get $rt_entry")")
  [ "$rt_now" = "$2" ] || fl_fail "the router did not switch: $FL_KEY is at '$rt_now' there, at '$2' on file"
}

fl_live_value() { # ANSWER: the value in an answer to `get map`; `-` when there is none
  case $1 in
    *found=yes*) rt_value=${1##*value=\"} && echo "${rt_value%%\"*}" ;;
    *found=no*) echo - ;;
    *) return 1 ;;
  esac
}

fl_live_runtime() { # what the router goes by; fails when it does not answer
  fl_live_value "$(fl_router_api "get map /fairlead/maps/live.map $FL_KEY")"
}

fl_live_file() { # what a router that starts now would go by
  rt_value=$(awk -v key="$FL_KEY" '$1 == key { print $2 }' "$FL_ROUTER/maps/live.map" 2>/dev/null) || :
  echo "${rt_value:--}"
}

fl_live_write() { # VALUE: into the file, beside and renamed
  [ -f "$FL_ROUTER/maps/live.map" ] || : >"$FL_ROUTER/maps/live.map"
  {
    awk -v key="$FL_KEY" -v value="$1" '
      $1 != key { print }
      END { if (value != "-") print key, value }
    ' "$FL_ROUTER/maps/live.map" >"$FL_ROUTER/maps/live.new" &&
      sync "$FL_ROUTER/maps/live.new" && mv -f "$FL_ROUTER/maps/live.new" "$FL_ROUTER/maps/live.map"
  } || fl_fail "$FL_ROUTER/maps/live.map cannot be written; $FL_KEY was not switched"
}

fl_live() { # @live KEY runtime=VALUE file=VALUE; `-` is none
  rt_runtime=$(fl_live_runtime 2>/dev/null) || rt_runtime=-
  printf '@live %s runtime=%s file=%s\n' "$FL_KEY" "$rt_runtime" "$(fl_live_file)"
}

fl_live_reconcile() { # the file says what the router does: they differ after a kill between the two
  fl_router_locked fl_live_reconcile_now
}

fl_live_reconcile_now() {
  rt_now=$(fl_live_runtime 2>/dev/null) || return 0
  [ "$rt_now" = "$(fl_live_file)" ] || fl_live_write "$rt_now"
}

# -- servers: the containers behind a backend

fl_servers() { # BACKEND…: a line for each server that has an address:
  # @server BACKEND NAME ADDRESS up|down ready|drain|maint CHECK CODE LAST SESSIONS
  # CHECK is `-` until the server at this address was asked: HAProxy shows its predecessor's there.
  for rt_backend in "$@"; do
    set -- "$@" "show servers state $rt_backend" "show stat $rt_backend 4 -1"
    shift
  done
  fl_router_api "$@" | awk '
    function word(text) { gsub(/"/, "", text); gsub(/ /, "_", text); return text == "" ? "-" : text }
    /^# pxname,/ { n = split($0, head, ","); for (i = 1; i <= n; i++) column[head[i]] = i; next }
    /^#/ || NF == 0 { next }
    /,/ {
      split($0, cell, ",")
      at = cell[1] " " cell[2]
      if (!(at in address)) next
      check = word(cell[column["check_status"]]); sub(/^\*_/, "", check)
      full = cell[column["check_rise"]] + cell[column["check_fall"]] - 1
      if (check ~ /^L[467]OK/ && cell[column["check_health"]] < full) check = "-"
      last = word(cell[column["last_chk"]])
      if (last == "-") last = word(cell[column["check_desc"]])
      print "@server", at, address[at], state[at], check, word(cell[column["check_code"]]), last, cell[4 + 1]
      next
    }
    $5 != "-" && NF > 20 {
      address[$2 " " $4] = $5
      admin = int($7 / 8) % 4 ? "drain" : "ready"
      if ($7 % 4 || int($7 / 32) % 2) admin = "maint"
      state[$2 " " $4] = ($6 == 2 ? "up" : "down") " " admin
    }'
}

fl_servers_tell() { # stdin's commands, one a line, which answer nothing when they are obeyed
  # Under the lock, as a reload under way would forget them.
  set --
  while read -r rt_command; do
    set -- "$@" "$rt_command"
  done
  [ $# -gt 0 ] || return 0
  rt_answer=$(fl_router_locked fl_router_api "$@") || fl_fail "the router does not answer; its servers are as they were"
  [ -z "$rt_answer" ] || fl_fail "the router refuses to $1: $rt_answer"
}

fl_servers_listed() { # BACKEND: NAME ADDRESS up|down of all its servers; ADDRESS `-` is a free one
  for rt_try in 1 2 3 4 5; do
    rt_answer=$(fl_router_api "show servers state $1") || :
    case $rt_answer in
      *'# be_id'*) break ;;
      *'find backend'*) fl_fail "the router knows no backend $1" ;;
    esac
    [ "$rt_try" -lt 5 ] || fl_fail "the router of this host does not answer"
    fl_nap
  done
  printf '%s\n' "$rt_answer" | awk 'NF > 20 && !/^#/ { print $4, $5, $6 == 2 ? "up" : "down" }'
}

fl_servers_set() { # BACKEND all|free|fit|ADDRESS WORDS: `set server` for these (fit: free or up)
  rt_listed=$(fl_servers_listed "$1") || exit 1
  printf '%s\n' "$rt_listed" | awk -v backend="$1" -v which="$2" -v words="$3" '
    which == "all" || which == $2 || $2 == "-" && which ~ /^f/ || $3 == "up" && which == "fit" {
      print "set server " backend "/" $1 " " words }' | fl_servers_tell
}

fl_ready_servers() { # BACKEND: all its servers may take requests
  fl_servers_set "$1" all "state ready"
}

fl_ready_slot() { # NAME CONFIG_FILE: the same for all backends of this configuration
  awk '
    $1 == "backend" { backend = $2 }
    $1 == "server-template" && backend !~ /-probe$/ {
      split($3, number, "-")
      for (i = number[1]; i <= number[2]; i++) print "set server " backend "/" $2 i " state ready"
    }' "$2" | fl_servers_tell
}

fl_hold_free_servers() { # BACKEND: a container that joins now gets no request before it is admitted
  fl_servers_set "$1" free "state drain"
}

fl_admit_servers() { # BACKEND: end of the hold, for all but those whose check fails
  fl_servers_set "$1" fit "state ready"
}

fl_drain_server() { # BACKEND ADDRESS: no new requests for this one
  fl_servers_set "$1" "$2" "state drain"
}

fl_await_servers() ( # BACKEND TIMEOUT ADDRESS…: until it has exactly these, and each answers well
  # Prints `@health BACKEND UP/TOTAL what is missing` on change; at the deadline fails and says what
  # each one answered last. The probe backend asks twenty times a second for as long as this waits.
  rt_waiting=$1 rt_deadline=$(($(date +%s) + $2)) rt_shown=''
  shift 2
  trap 'fl_servers "$rt_waiting-probe" | fl_probe_end' EXIT
  trap 'exit 1' HUP INT TERM
  while :; do
    rt_seen=$(fl_servers "$rt_waiting" "$rt_waiting-probe")
    printf '%s\n' "$rt_seen" | fl_probe_begin
    rt_found=$(printf '%s\n' "$rt_seen" | fl_servers_judge "$*")
    # While a server is being asked, HAProxy does not tell the status it answered with before.
    case $rt_found in *' L7STS/0 '*) rt_found=${rt_shown:-$rt_found} ;; esac
    # While a check is under way, HAProxy shows the last one's result without its code and words.
    case $rt_found in *' L7'*'/0 '*) [ -z "$rt_shown" ] || rt_found=$rt_shown ;; esac
    [ "$rt_found" = "$rt_shown" ] || printf '@health %s %s\n' "$rt_waiting" "$rt_found"
    rt_shown=$rt_found
    if [ "$rt_found" = "$#/$# ok" ]; then
      trap - EXIT
      printf '%s\n' "$rt_seen" | fl_probe_end
      return 0
    fi
    [ "$(date +%s)" -le "$rt_deadline" ] || break
    fl_nap 0.02
  done
  echo "$rt_waiting is not healthy in time: $rt_found" >&2
  return 1
)

fl_probe_begin() { # ask those probes of stdin, as of fl_servers, that rest
  awk '$2 ~ /-probe$/ && $6 == "maint" { print "set server " $2 "/" $3 " state ready" }' | fl_servers_tell
}

fl_probe_end() { # stdin, as of fl_servers: let the probes rest; what they have proven holds for all
  # Else one check that was under way to a predecessor at the same address could take a server out.
  awk '
    $2 ~ /-probe$/ && $6 != "maint" { print "set server " $2 "/" $3 " state maint" }
    $2 !~ /-probe$/ && NF { print "set server " $2 "/" $3 " health up" }' | fl_servers_tell
}

fl_servers_judge() { # "ADDRESS…": of stdin, as of fl_servers: `UP/TOTAL ok`, or what is missing
  # A server without its probe, or the other way round, is a moment of a change: not there yet.
  awk -v wanted="$1" '
    $2 !~ /-probe$/ { there[$4] }
    $2 ~ /-probe$/ { check[$4] = $7; code[$4] = $8; said[$4] = $9 }
    END {
      total = split(wanted, list, " ")
      for (i = 1; i <= total; i++) {
        address = list[i]
        expected[address] = 1
        if (!(address in check && address in there)) note = note " " address " unresolved"
        else if (check[address] !~ /^L7OK/) note = note " " address " " check[address] "/" code[address] " " said[address]
        else good++
      }
      for (address in check) if (!(address in expected)) note = note " " address " unexpected"
      print good + 0 "/" total (note == "" ? " ok" : note)
    }'
}

# -- drain: until nothing is open, in any of the router's processes

fl_open() { # BACKEND [ADDRESS]: requests and tunnels open or queued there; nothing when not told
  rt_row="2 -1"
  [ $# -eq 1 ] || rt_row="4 -1"
  {
    for rt_worker in $(fl_router_workers); do
      printf '@!%s show stat %s %s\n' "$rt_worker" "$1" "$rt_row"
    done
    echo quit
  } | fl_router_send | awk -F , -v backend="$1" -v address="${2:-}:" '
    /^No such proxy/ { told = 1 }
    /^# pxname,/ { told = 1; for (i = 1; i <= NF; i++) column[$i] = i }
    $1 == backend && ($2 == "BACKEND" || index($column["addr"], address) == 1) { open += $3 + $5 }
    END { if (told) print open + 0 }'
}

fl_drain() { # TIMEOUT BACKEND…: wait until all they were asked is answered; @drain BACKEND N on change
  # At the deadline it prints @drain-timeout BACKEND N and succeeds: what is open then is cut.
  rt_deadline=$(($(date +%s) + $1))
  shift
  for rt_backend in "$@"; do
    fl_drain_until "$rt_deadline" "$rt_backend"
  done
}

fl_drain_address() { # TIMEOUT BACKEND ADDRESS: the same for one server, which gets nothing new
  fl_drain_server "$2" "$3"
  fl_drain_until "$(($(date +%s) + $1))" "$2" "$3"
}

fl_drain_until() { # DEADLINE BACKEND [ADDRESS]
  rt_until=$1 rt_shown=''
  shift
  while :; do
    rt_open=$(fl_open "$@") || :
    [ "${rt_open:-$rt_shown}" = "$rt_shown" ] || printf '@drain %s %s\n' "$1" "$rt_open"
    rt_shown=${rt_open:-$rt_shown}
    [ "$rt_open" != 0 ] || return 0
    if [ "$(date +%s)" -gt "$rt_until" ]; then
      printf '@drain-timeout %s %s\n' "$1" "${rt_shown:-0}"
      return 0
    fi
    fl_nap
  done
}

# -- what there is

fl_observe_router() { # the router and what it does for $FL_KEY
  fl_inspect fairlead-router
  fl_observe_routes
}

fl_observe_routes() { # what the router is configured with; routes of others, to see collisions
  # @router-config SHA256|stale   @route PREFIX KEY   @live KEY runtime=VALUE file=VALUE
  if fl_router_is_current; then
    printf '@router-config %s\n' "$(sha256sum <"$FL_ROUTER/base.cfg" | cut -c 1-64)"
  else
    echo '@router-config stale'
  fi
  awk -v key="$FL_KEY" '{ split($2, owner, "/") } owner[1] != key { print "@route", $1, owner[1] }' \
    "$FL_ROUTER/maps/routes.map" 2>/dev/null || :
  fl_live
}

fl_router_is_current() { # its files are loaded, and the certificate is the one at its source
  [ -d "$FL_ROUTER/run" ] && fl_router_is_loaded || return 1
  [ ! -f "$FL_ROUTER/certificate-$FL_KEY" ] ||
    fl_same "$(cat "$FL_ROUTER/certificate-$FL_KEY")" "$FL_ROUTER/certificates/$FL_KEY.pem"
}
