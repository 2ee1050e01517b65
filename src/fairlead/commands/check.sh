# A closer look at a host than a deploy takes: the questions of `doctor`, the figures of `host.check`.
# Sent only where it is asked for. Changes nothing. Needs observe.sh.

# -- doctor

fl_doctor() { # DIRECTORY…: clock, tools, and whether these directories can be written, or made
  printf '@clock %s\n' "$(date +%s)"
  printf '@flock %s\n' "$(command -v flock || echo missing)"
  for fl_wanted in "$@"; do
    printf '@directory %s %s\n' "$fl_wanted" "$(fl_writable "$fl_wanted")"
  done
}

fl_doctor_ports() { # PORT…: @port PORT free | container NAME | process NAME | taken
  for fl_port in "$@"; do
    printf '@port %s %s\n' "$fl_port" "$(fl_port_holder "$fl_port")"
  done
}

fl_port_holder() { # PORT: containers first: their sockets may be held by no process at all
  fl_name=$(fl_published "$1")
  if [ -n "$fl_name" ]; then
    echo "container $fl_name"
  elif fl_is_listening "$1"; then
    fl_name=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | head -n 1)
    if [ -n "$fl_name" ]; then echo "process $fl_name"; else echo taken; fi
  else
    echo free
  fi
}

fl_published() { # PORT: the running container that publishes this TCP port
  # shellcheck disable=SC2046  # ids are separate words
  docker inspect --format '{{.Name}}{{range $port, $places := .NetworkSettings.Ports}}{{range $places}} {{$port}}={{.HostPort}}{{end}}{{end}}' \
    $(docker ps -q 2>/dev/null) 2>/dev/null |
    awk -v end="/tcp=$1" '{
      for (i = 2; i <= NF; i++)
        if (substr($i, length($i) - length(end) + 1) == end) { print substr($1, 2); exit }
    }'
}

fl_is_listening() { # PORT: by the kernel's own table, which needs neither ss nor root
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v end="$(printf ':%04X' "$1")" \
      '$4 == "0A" && substr($2, length($2) - 4) == end { found = 1 } END { exit !found }'
}

fl_doctor_file() { # PATH: @file PATH yes | no: can it be read by this user
  if [ -f "$1" ] && [ -r "$1" ]; then fl_readable=yes; else fl_readable=no; fi
  printf '@file %s %s\n' "$1" "$fl_readable"
}

fl_doctor_registries() { # REPOSITORY…: @registry REPOSITORY ANSWER, as this host's Docker gets it
  # Asked for a digest that no image has, so nothing is ever pulled, but the engine's own way is
  # tried: its proxy, its trust, its name servers, its login.
  command -v docker >/dev/null 2>&1 || return 0
  for fl_repository in "$@"; do
    fl_doctor_registry "$fl_repository" &
  done
  wait
}

fl_doctor_registry() { # REPOSITORY
  fl_answer=$(timeout 15 docker pull "$1@sha256:$(printf '%064d' 0)" 2>&1) && fl_code=0 || fl_code=$?
  [ "$fl_code" -ne 124 ] || fl_answer='no answer in 15 s'
  printf '@registry %s %s\n' "$1" "$(printf '%s\n' "$fl_answer" | grep . | tail -n 1)"
}

# -- host.check

fl_check() { # DIRECTORY: all figures of this host; DIRECTORY is where releases are kept
  fl_check_machine
  if ! command -v docker >/dev/null 2>&1; then
    echo '@engine missing'
    fl_check_disks / "$1"
  elif ! fl_engine=$(fl_engine); then
    printf '@engine unreachable %s\n' "$fl_engine"
    fl_check_disks / "$1"
  else
    printf '@engine %s\n' "${fl_engine%% *}"
    fl_check_disks / "$1" "${fl_engine##* }"
    fl_check_containers
    docker system df --format '@usage {{json .}}'
  fi
}

fl_check_machine() { # @uptime SECONDS   @load 1 5 15 PROCESSORS   @memory NAME KIB
  printf '@uptime %s\n' "$(cut -d ' ' -f 1 /proc/uptime)"
  printf '@load %s %s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)" "$(nproc)"
  awk '/^(MemTotal|MemAvailable|SwapTotal|SwapFree):/ { sub(":", ""); print "@memory", $1, $2 }' /proc/meminfo
}

fl_check_disks() { # DIRECTORY…: @disk SIZE USED FREE MOUNT in KiB, for each file system they are on
  for fl_place in "$@"; do
    while [ ! -e "$fl_place" ]; do fl_place=$(dirname "$fl_place"); done
    df -Pk "$fl_place"
  done | awk '$1 != "Filesystem" && !seen[$6]++ { print "@disk", $2, $3, $4, $6 }'
}

fl_check_containers() { # all of this host; of the sick ones the last health answer and log lines too
  fl_ids=$(docker ps -aq)
  # shellcheck disable=SC2086
  [ -z "$fl_ids" ] || docker inspect --format '@container {"name":{{json .Name}},"image":{{json .Config.Image}},"status":{{json .State.Status}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}},"exit_code":{{.State.ExitCode}},"oom":{{.State.OOMKilled}},"restarts":{{.RestartCount}}}' \
    $fl_ids 2>/dev/null || :
  for fl_sick in $(fl_sick); do
    docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}
{{end}}{{end}}' "$fl_sick" 2>/dev/null | grep . | tail -n 1 | fl_prefixed "@said $fl_sick health check:"
    docker logs --tail 5 "$fl_sick" 2>&1 | fl_prefixed "@said $fl_sick log:"
  done
}

fl_sick() { # names of the containers that are unhealthy, restarting or dead
  {
    docker ps -a --format '{{.Names}}' --filter health=unhealthy
    docker ps -a --format '{{.Names}}' --filter status=restarting --filter status=dead
  } | sort -u
}

fl_prefixed() { # TEXT: stdin with TEXT and a blank before each line
  awk -v text="$1" '{ print text, $0 }'
}
