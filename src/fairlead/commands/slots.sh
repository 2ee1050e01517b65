# Containers of a slot: found by label, started, awaited, explained, retired.

fl_containers() { # PROJECT [FILTER…]: ids of its containers, running or not, one-off runs apart
  fl_project=$1
  shift
  docker ps -aq --filter "label=com.docker.compose.project=$fl_project" \
    --filter label=com.docker.compose.oneoff=False "$@"
}

fl_network() { # NAME…: make sure the networks exist
  for fl_name in "$@"; do
    docker network inspect "$fl_name" >/dev/null 2>&1 ||
      docker network create --label "fairlead.key=$FL_KEY" "$fl_name" >/dev/null
  done
}

fl_absent_networks() { # NAME…: @absent NAME for each that does not exist
  for fl_name in "$@"; do
    docker network inspect "$fl_name" >/dev/null 2>&1 || printf '@absent %s\n' "$fl_name"
  done
}

fl_clear() { # PROJECT: remove what an idle slot holds, at once
  fl_ids=$(docker ps -aq --filter "label=com.docker.compose.project=$1")
  # shellcheck disable=SC2086  # ids are separate words
  [ -z "$fl_ids" ] || docker rm -f $fl_ids >/dev/null
}

fl_make_room() { # PROJECT [CONFIG]: an empty slot, and the router's backends for it as in this file
  # Side by side, as Docker takes its time to remove what runs; nothing here concerns the live slot.
  fl_clear "$1" &
  fl_clearing=$!
  fl_room=0
  if [ $# -gt 1 ]; then
    fl_router_slot "$1" "$2" &
    wait "$!" || fl_room=$?
  fi
  wait "$fl_clearing" || fl_room=$?
  [ "$fl_room" -eq 0 ] || exit "$fl_room"
}

fl_clear_one_off() { # PROJECT: remove what a migration left behind; the slot's own stay
  fl_ids=$(docker ps -aq --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.oneoff=True)
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || docker rm -f $fl_ids >/dev/null
}

fl_compose() { # WORD…: `docker compose`, but for the time that docker itself takes to find it
  # By its plugin, where docker looks for it by default: the same program in a third of the time.
  fl_config=${DOCKER_CONFIG:-${HOME:-}/.docker}
  for fl_plugin in "$fl_config" /usr/local/lib/docker /usr/local/libexec/docker \
    /usr/lib/docker /usr/libexec/docker; do
    fl_plugin=$fl_plugin/cli-plugins/docker-compose
    if [ -x "$fl_plugin" ] && ! grep -qs cliPluginsExtraDirs "$fl_config/config.json"; then
      "$fl_plugin" "$@"
      return
    fi
  done
  docker compose "$@"
}

fl_await() { # PROJECT SETTLE TIMEOUT [patient]: every container healthy; @health on change, exit 70 if not
  # One that ended has no hope, unless one is patient: what worked before may need a second start.
  fl_uptime
  fl_deadline=$((fl_up + $3))
  fl_shown=''
  while :; do
    fl_about=$(fl_about "$1")
    fl_seen=$(fl_judged "$2")
    fl_count
    if [ "$fl_good/$fl_total" != "$fl_shown" ]; then
      fl_shown="$fl_good/$fl_total"
      printf '@health containers %s %s\n' "$fl_good" "$fl_total"
    fi
    [ "$fl_good" -lt "$fl_total" ] || break
    case ${4:-}$fl_seen in patient*) ;; *dead*) fl_fail_if_dead "$1" "$2" ;; esac
    fl_uptime
    [ "$fl_up" -lt "$fl_deadline" ] ||
      fl_fail "not healthy after $3 s: $(printf '%s\n' "$fl_seen" | sed -n -e 's/^wait //p' -e 's/^dead //p' | tr '\n' ';')" 70
    fl_nap
  done
  fl_uptime
  fl_await_routed "$1" "$((fl_deadline - fl_up))" "${4:-}"
}

fl_count() { # sets fl_good and fl_total by the lines of $fl_seen
  fl_good=0 fl_total=0
  while read -r fl_word _; do
    [ -z "$fl_word" ] || fl_total=$((fl_total + 1))
    [ "$fl_word" != ready ] || fl_good=$((fl_good + 1))
  done <<EOF
$fl_seen
EOF
}

fl_fail_if_dead() { # PROJECT SETTLE: exit 70 when a container has no hope, with what ended it
  fl_dead=$(fl_states "$1" "$2" | sed -n 's/^dead //p' | head -n 1)
  [ -z "$fl_dead" ] || fl_fail "$fl_dead" 70
}

fl_about() { # PROJECT: a line per container: its state, its backend (`-`: none) and its address
  fl_ids=$(fl_containers "$1")
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || docker inspect --format "{{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{if index .Config.Labels \"fairlead.backend\"}}routed{{else}}worker{{end}} {{.State.StartedAt}} {{or (index .Config.Labels \"fairlead.backend\") \"-\"}} {{with index .NetworkSettings.Networks \"$1\"}}{{.IPAddress}}{{end}}" \
    $fl_ids
}

fl_states() { # PROJECT SETTLE: a line per container: ready | wait NAME WHY | dead NAME WHY
  fl_about=$(fl_about "$1")
  fl_judged "$2"
}

fl_judged() { # SETTLE: the same, by the lines of $fl_about
  printf '%s\n' "$fl_about" |
    while read -r fl_name fl_status fl_code fl_oom fl_restarts fl_health fl_kind fl_since _; do
      [ -z "$fl_name" ] || fl_state "${fl_name#/}" "$fl_status" "$fl_code" "$fl_oom" \
        "$fl_restarts" "$fl_health" "$fl_kind" "$fl_since" "$1"
    done
}

fl_state() { # NAME STATUS EXIT OOM RESTARTS HEALTH KIND SINCE SETTLE
  if [ "$2" != running ] && [ "$2" != created ]; then
    fl_ended "$1" "$2" "$5" "$3" "$4"
  elif fl_crashes "$5" "$8"; then
    # shellcheck disable=SC2046  # two words
    fl_ended "$1" "$2" "$5" $(fl_last_end "$1")
  elif [ "$6" = unhealthy ]; then
    echo "dead $1 is unhealthy by its own healthcheck"
  elif [ "$2" = created ] || [ "$6" = starting ]; then
    echo "wait $1 is starting"
  elif [ "$6" = none ] && [ "$7" = worker ] && ! fl_older "$8" "$9"; then
    echo "wait $1 must run for $9 s"
  else
    echo "ready $1"
  fi
}

fl_ended() { # NAME STATUS RESTARTS [EXIT OOM]: the sentence about it
  echo "dead $1 ended with exit code ${4:-unknown} (status $2, out of memory: ${5:-unknown}, restarts: $3)$(fl_killed "${4:-}" "${5:-}")"
}

fl_last_end() { # CONTAINER: EXIT OOM of its last end; once started again it shows those of that start
  docker events --since 30m --until 0s --filter "container=$1" --filter event=die --filter event=oom \
    --format '{{.Action}} {{index .Actor.Attributes "exitCode"}}' |
    awk '$1 == "oom" { oom = 1 } $1 == "die" { last = $2 (oom ? " true" : " false"); oom = 0 } END { if (last) print last }'
}

fl_killed() { # EXIT OOM: what 137 means where the kernel did not tell Docker that it was for memory
  [ "$1" != 137 ] || [ "$2" = true ] || echo ': killed, as is done with what takes more memory than its limit'
}

fl_crashes() { # RESTARTS SINCE: it ended lately, and will again; what runs for a minute is forgiven
  [ "$1" -gt 0 ] && ! fl_older "$2" 60
}

fl_older() { # TIMESTAMP SECONDS: is that moment at least so long ago
  fl_epoch=$(date -d "$1" +%s 2>/dev/null || date -u -D '%Y-%m-%dT%H:%M:%S' -d "${1%%.*}" +%s)
  [ "$(($(date +%s) - fl_epoch))" -ge "$2" ]
}

fl_backends() { # PROJECT: names of the router backends its containers answer for
  fl_ids=$(fl_containers "$1")
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || docker inspect \
    --format '{{with index .Config.Labels "fairlead.backend"}}{{.}}{{end}}' $fl_ids | sort -u | grep . || :
}

fl_await_routed() { # PROJECT TIMEOUT [patient]: the router sees exactly these containers, each answering
  # In turns, because a container that ends meanwhile will not answer, however long one waits.
  fl_uptime
  fl_deadline=$((fl_up + $2))
  for fl_backend in $(fl_places | cut -d ' ' -f 1 | sort -u); do
    # shellcheck disable=SC2046
    until fl_said=$(fl_await_servers "$fl_backend" 2 $(fl_at "$fl_backend") 2>&1 >&3); do
      [ -n "${3:-}" ] || fl_fail_if_dead "$1" 0
      fl_uptime
      [ "$fl_up" -lt "$fl_deadline" ] || fl_fail "$fl_said" 70
      fl_about=$(fl_about "$1")
    done 3>&1
  done
}

fl_places() { # BACKEND ADDRESS of each container of $fl_about that the router asks
  printf '%s\n' "$fl_about" | awk 'NF > 8 && $9 != "-" { print $9, $10 }'
}

fl_at() { # BACKEND: the addresses that $fl_about has for it
  fl_places | sed -n "s/^$1 //p"
}

fl_explain() { # PROJECT: why a slot failed: state, health answers and last log lines of each container
  for fl_id in $(fl_containers "$1"); do
    docker inspect --format '@why {{.Name}}: {{.State.Status}}, exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}, restarts: {{.RestartCount}}{{if .State.Health}}, healthcheck {{.State.Health.Status}}{{end}}' "$fl_id" | sed 's|^@why /|@why |'
    fl_end=$(fl_last_end "$fl_id")
    [ "$(docker inspect --format '{{.RestartCount}}' "$fl_id")" = 0 ] || [ -z "$fl_end" ] ||
      echo "@why   its last end: exit code ${fl_end% *}, out of memory: ${fl_end#* }"
    docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}@why   healthcheck: {{.Output}}
{{end}}{{end}}' "$fl_id" | grep . | tail -n 2 || :
    fl_explain_health "$1" "$fl_id"
    docker logs --tail 12 "$fl_id" 2>&1 | sed 's/^/@why   log: /'
  done
}

fl_explain_health() { # PROJECT CONTAINER: what its health path answers: status, where to, body
  fl_path=$(docker inspect --format '{{index .Config.Labels "fairlead.health"}}' "$2")
  fl_address=$(docker inspect --format "{{with index .NetworkSettings.Networks \"$1\"}}{{.IPAddress}}{{end}}" "$2")
  [ -n "$fl_path" ] && [ -n "$fl_address" ] || return 0
  fl_http "$fl_address" "${fl_path%% *}" GET "${fl_path#* }" localhost 2 | tr -d '\r' | awk -v path="${fl_path#* }" '
    NR == 1 { printf "@why   GET %s: %s", path, $0 }
    tolower($1) == "location:" { printf " to %s", $2 }
    body && NF { printf " · %s", substr($0, 1, 200) }
    NF == 0 { body = 1 }
    END { if (NR) print "" }' || :
}

fl_keep() { # PROJECT: its containers come back after a reboot; nothing is started
  fl_ids=$(fl_containers "$1")
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || docker update --restart always $fl_ids >/dev/null
}

fl_activate() { # PROJECT: its containers run again, and come back after a reboot
  fl_ids=$(fl_containers "$1")
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || { docker update --restart always $fl_ids && docker start $fl_ids; } >/dev/null
}

fl_revive() { # PROJECT: all of it runs again, though a stop of some may have been cut short
  # Docker ends a container it was told to stop, whoever hung up, and starting one that still runs
  # does nothing: so what is on its way down (it comes back no more) gets there first.
  fl_going=''
  for fl_id in $(fl_containers "$1" --filter status=running); do
    [ "$(docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' "$fl_id")" != no ] ||
      fl_going="$fl_going $fl_id"
  done
  fl_stop_ids "$fl_going"
  fl_activate "$1"
}

fl_stop_workers() { # PROJECT: stop what has no route, with its own signal and grace period
  fl_workers=''
  for fl_id in $(fl_containers "$1" --filter status=running); do
    [ -n "$(docker inspect --format '{{index .Config.Labels "fairlead.backend"}}' "$fl_id")" ] ||
      fl_workers="$fl_workers $fl_id"
  done
  # shellcheck disable=SC2086
  [ -z "$fl_workers" ] || docker update --restart no $fl_workers >/dev/null
  fl_stop_ids "$fl_workers"
}

fl_require_up() { # BACKEND…: each has a server that answers its checks, as the router sees it
  for fl_backend in "$@"; do
    fl_servers_listed "$fl_backend" | grep -q ' up$' ||
      fl_fail "$fl_backend has no server that answers; nothing was switched" 70
  done
}

fl_require_idle() { # PROJECT: no request is sent there: what serves is never taken away by an undo
  case ":$(fl_live | sed 's/.* runtime=//; s/ file=/:/'):" in
    *":${1##*-}:"*) fl_fail "requests still go to $1, so it is left to serve" 70 ;;
  esac
}

fl_retire() { # PROJECT WARM: no restart at boot; stopped after WARM seconds if it is still idle
  fl_ids=$(fl_containers "$1")
  [ -n "$fl_ids" ] || return 0
  # shellcheck disable=SC2086
  docker update --restart no $fl_ids >/dev/null
  if [ "$2" -le 0 ]; then
    fl_stop_ids "$fl_ids"
  else
    # exec, as a shell keeps copies of what it only redirects, and sshd waits for those to close.
    (exec </dev/null >/dev/null 2>&1 8>&- && fl_stop_later "$1" "$2") &
  fi
}

fl_stop_ids() { # IDS: stop them side by side, each with its own grace period; fails if one runs on
  fl_stops='' fl_running=''
  for fl_id in $1; do
    docker stop "$fl_id" >/dev/null &
    fl_stops="$fl_stops $fl_id:$!"
  done
  for fl_stop in $fl_stops; do
    wait "${fl_stop#*:}" || fl_stopped "${fl_stop%:*}" || fl_running="$fl_running ${fl_stop%:*}"
  done
  [ -z "$fl_running" ] || fl_fail "would not stop, and may run on:$fl_running"
}

fl_stopped() { # CONTAINER: it does not run, be it there or gone; fails when Docker does not say
  fl_left=$(docker ps -q --filter "id=$1") && [ -z "$fl_left" ]
}

fl_stop_later() { # PROJECT WARM: these very containers, unless their slot is live by then
  # Not while somebody is at work: a rollback may just be about to switch to them.
  trap '' HUP
  sleep "$2"
  until fl_stop_idle "$1" || [ ! -d "$FL_BASE/lock" ]; do sleep 1; done
}

fl_stop_idle() { # PROJECT: stop $fl_ids unless it is live; fails while somebody is at work
  # Whoever takes the lock after this look waits for the stop's end (fl_lock_settled).
  (
    flock 9
    ! fl_is_locked || exit 1
    [ "$(fl_live_slot)" = "${1##*-}" ] || (fl_stop_ids "$fl_ids") || :
  ) 9>>"$FL_BASE/lock/idle"
}

fl_live_slot() { # the live slot's name by the router, by its file where there is none; or nothing
  fl_live | sed -n -e 's/.*runtime=\([a-z][a-z]*\).*/\1/p' -e t -e 's/.*file=\([a-z][a-z]*\).*/\1/p'
}

fl_shrink() { # PROJECT TIMEOUT SERVICE=COUNT…: so many of each are left, the others drained and stopped
  fl_slot=$1 fl_most=$2 fl_gone=''
  shift 2
  for fl_pair in "$@"; do
    fl_gone="$fl_gone $(fl_containers "$fl_slot" --filter "label=fairlead.service=${fl_pair%=*}" \
      --filter status=running | tail -n +"$((${fl_pair##*=} + 1))")"
  done
  # shellcheck disable=SC2086
  set -- $fl_gone
  [ $# -gt 0 ] || return 0
  docker update --restart no "$@" >/dev/null
  fl_uptime
  fl_deadline=$((fl_up + fl_most))
  for fl_one in "$@"; do fl_place "$fl_slot" "$fl_one" fl_drain_server; done
  for fl_one in "$@"; do fl_place "$fl_slot" "$fl_one" fl_drain_until "$fl_deadline"; done
  docker stop "$@" >/dev/null
}

fl_place() { # PROJECT ID FUNCTION [WORD…]: call it with a container's backend and address, if it has one
  fl_at=$(docker inspect --format "{{index .Config.Labels \"fairlead.backend\"}} {{with index .NetworkSettings.Networks \"$1\"}}{{.IPAddress}}{{end}}" "$2")
  shift 2
  [ -z "${fl_at%% *}" ] || "$@" "${fl_at%% *}" "${fl_at#* }"
}

fl_release_in() { # PROJECT: the release whose containers it holds; nothing when empty or mixed
  fl_ids=$(fl_containers "$1")
  [ -n "$fl_ids" ] || return 0
  # shellcheck disable=SC2086
  fl_found=$(docker inspect --format '{{index .Config.Labels "fairlead.release"}}' $fl_ids | sort -u)
  [ "$(printf '%s\n' "$fl_found" | wc -l)" -gt 1 ] || printf '%s\n' "$fl_found"
}

fl_logs() { # TAIL FOLLOW CONTAINER…: what they print, each line after its container's name
  fl_tail=$1 fl_follow=$2
  shift 2
  for fl_name in "$@"; do
    # shellcheck disable=SC2086  # an empty word is no flag
    docker logs $fl_follow --tail "$fl_tail" "$fl_name" 2>&1 | sed -u "s/^/$fl_name | /" &
  done
  wait
}

fl_exec() { # CONTAINER WORD…: run it there, stderr with stdout; told to end, it ends what runs there, too
  # Docker hands no signal on to what `exec` started; that is found by a mark in its environment.
  fx_container=$1
  fx_mark=FAIRLEAD_EXEC=$$.$(date +%s)
  shift
  trap fl_exec_end TERM INT HUP
  docker exec -e "$fx_mark" "$fx_container" "$@" 2>&1 &
  wait "$!"
}

fl_exec_end() { # @ended once the container was told to; what is left after ten seconds is killed
  trap '' TERM INT HUP
  # shellcheck disable=SC2016  # the variables are those of the shell there
  docker exec -d "$fx_container" sh -c '
    fx_signal() {
      for fx_one in /proc/[0-9]*; do
        ! grep -qsF "$2" "$fx_one/environ" || kill -s "$1" "${fx_one#/proc/}"
      done
    }
    fx_signal TERM "$1"
    sleep 10
    fx_signal KILL "$1"' fl_exec "$fx_mark" && echo @ended
  exit 143
}
