# The router's container: started, replaced by another, joined to the slots' networks.

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
  if fl_router_runs "$1 $2 $3" || { fl_router_recover && fl_router_runs "$1 $2 $3"; }; then
    fl_router_commit
  else
    fl_router_replace "$1" "$2" "$3"
  fi
  fl_router_remember "${4:-}"
}

fl_router_label() { # state, image and ports of the container as it is; nothing when there is none
  docker inspect --format '{{.State.Status}} {{index .Config.Labels "fairlead.router"}}' fairlead-router 2>/dev/null || :
}

fl_router_runs() { # LABEL: is the container there that this label names
  [ "$(fl_router_label)" = "running $1" ]
}

fl_router_recover() { # a replacement that was cut short: the old one is the router, unless the new one runs
  case $(fl_router_label) in running*) return 1 ;; esac
  docker inspect --format '{{.Id}}' fairlead-router-old >/dev/null 2>&1 || return 1
  docker rm -f fairlead-router >/dev/null 2>&1 || :
  docker rename fairlead-router-old fairlead-router
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
  rm -f "$FL_ROUTER/next/certificates/$FL_KEY.pem"
  [ -n "$1" ] || return 0
  cat "$1" >"$FL_ROUTER/next/certificates/$FL_KEY.pem" ||
    fl_fail "certificate $1 cannot be read by $(id -un) on this host; nothing was changed"
}

fl_router_remember() { # FILE: what was loaded came from here; the next look compares (fl_observe_routes)
  if [ -n "$1" ]; then
    printf '%s\n' "$1" >"$FL_ROUTER/certificate-$FL_KEY"
  else
    rm -f "$FL_ROUTER/certificate-$FL_KEY"
  fi
}

fl_router_replace() { # IMAGE HTTP_PORT HTTPS_PORT: a container like this, instead of what there is
  # The old one is kept until the new one answers, and takes over again if it never does. So it does
  # when this host is restarted meanwhile: as it restarts always, Docker starts it then.
  docker image inspect "$1" >/dev/null 2>&1 || docker pull "$1" >&2 || fl_fail "docker pull $1 failed; the router is as it was"
  fl_router_valid docker run --rm -i --network none -v "$FL_ROUTER:/fairlead:z" \
    --tmpfs /state:mode=1777 -e FAIRLEAD=/fairlead/next --user "99:$(fl_router_group)" --entrypoint sh "$1"
  fl_router_install "$FL_ROUTER/next"
  docker rm -f fairlead-router-old >/dev/null 2>&1 || :
  if docker rename fairlead-router fairlead-router-old 2>/dev/null; then
    echo "replacing the router by one with image and ports $*: no answer for about a second" >&2
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
  fl_uptime
  rt_deadline=$((fl_up + 10))
  until fl_router_api 'show version' 2>/dev/null | grep -q .; do
    fl_uptime
    if [ "$fl_up" -gt "$rt_deadline" ]; then
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
