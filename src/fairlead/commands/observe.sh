# One read-only look at a host: what runs, which slot is live, who holds the lock, what is kept.
# Every line starts with @; the program turns them into values (rollout/observe.py).

fl_observe() { # REFERENCE…: all there is to know, and which of these images are present
  if ! command -v docker >/dev/null 2>&1; then
    echo '@docker missing'
    return 0
  fi
  # Beside the question for the engine, as that one starts every plugin of docker's and takes longest.
  fl_observe_state_and_images &
  fl_others=$!
  fl_engine=$(fl_engine) || {
    wait "$fl_others" || :
    printf '@docker unreachable %s\n' "$fl_engine"
    return 0
  }
  wait "$fl_others" || exit 1
  # shellcheck disable=SC2086
  set -- $fl_engine -- "$@"
  printf '@docker %s %s\n' "$1" "$2"
  printf '@compose %s\n' "${3#v}"
  printf '@disk %s %s\n' "$(df -Pk "$4" | awk 'NR == 2 { print $4 }')" "$4"
  shift 5
  printf '@flock %s\n' "$(command -v flock || echo missing)"
  printf '@writable %s\n' "$(fl_writable "$FL_BASE")"
  fl_observe_images "$@"
}

fl_observe_state_and_images() {
  fl_observe_state
  docker image ls --digests --format '@pinned {{.Repository}}@{{.Digest}}'
}

fl_observe_state() { # what a roll-out changes: all else that fl_observe tells stays true meanwhile
  # The engine answers while the files are read; only one at a time writes its lines.
  fl_observe_containers &
  fl_beside=$!
  fl_seen=$(fl_observe_files)
  wait "$fl_beside" || exit 1
  printf '%s\n' "$fl_seen"
}

fl_observe_files() {
  fl_observe_routes
  fl_lock_show
  fl_observe_journal
  fl_observe_records
}

fl_observe_serving() { # what runs, and which slot is live: is a roll-out's result as it should be
  fl_live
  fl_observe_containers
}

fl_engine() { # VERSION SYSTEM/MACHINE COMPOSE DIRECTORY; or why there is no answer, and exit code 1
  # `docker info --format` exits with 0 even where it was refused: only a version begins with a digit.
  fl_about=$(docker info --format '{{$compose := ""}}{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{$compose = .Version}}{{end}}{{end}}{{.ServerVersion}} {{.OSType}}/{{.Architecture}} {{or $compose "missing"}} {{.DockerRootDir}}' 2>&1) || :
  printf '%s\n' "$fl_about" | grep '^[0-9]' && return 0
  printf '%s\n' "$fl_about" | grep '[a-z]' | tail -n 1
  return 1
}

fl_writable() { # DIRECTORY: yes | no: could we write there, or make it
  fl_directory=$1
  while [ ! -e "$fl_directory" ]; do
    fl_directory=$(dirname "$fl_directory")
  done
  if [ -w "$fl_directory" ]; then echo yes; else echo "no $fl_directory"; fi
}

fl_observe_containers() { # the router, and this environment's containers, a JSON object a line
  fl_ids=$(docker ps -aq --filter "label=fairlead.key=$FL_KEY")
  # shellcheck disable=SC2086
  fl_inspect fairlead-router $fl_ids
}

fl_inspect() { # CONTAINER…: @router STATUS IMAGE NETWORK,… and @router-ports HTTP HTTPS; @container JSON
  # One question for all of them, be the router there or not; one that goes meanwhile is left out.
  docker inspect --format '{{if eq .Name "/fairlead-router"}}@router {{.State.Status}} {{index .Config.Labels "fairlead.router"}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}},{{end}}{{else}}@container {"id":{{json .ID}},"name":{{json .Name}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},"status":{{json .State.Status}},"exit_code":{{.State.ExitCode}},"oom":{{.State.OOMKilled}},"restarts":{{.RestartCount}},"started":{{json .State.StartedAt}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}}}{{end}}' \
    "$@" 2>/dev/null | awk '
    $1 != "@router" { print; next }
    NF > 5 { sub(/,$/, "", $6); print $1, $2, $3, $6; print "@router-ports", $4, $5; there = 1 }
    END { if (!there) print "@router absent" }'
}

fl_observe_records() { # releases with status and manifest, backups with the release they hold
  fl_line=''
  set --
  printf '@clock %s\n' "$(date +%s)"
  for fl_id in $(fl_releases); do
    fl_manifest=$FL_BASE/releases/$fl_id/manifest.json
    [ -f "$fl_manifest" ] || continue
    [ ! -f "$FL_BASE/releases/$fl_id/irreversible" ] || printf '@irreversible %s\n' "$fl_id"
    fl_first_line "$FL_BASE/releases/$fl_id/status" prepared
    set -- "$@" "label=@release $fl_line" "$fl_manifest"
  done
  for fl_id in $(fl_backups); do
    fl_first_line "$FL_BASE/backups/$fl_id/release" ''
    fl_release=$fl_line fl_manifest=$FL_BASE/backups/$fl_id/manifest.json
    fl_first_line "$FL_BASE/backups/$fl_id/sequence" ''
    printf '@backup %s %s %s\n' "$fl_id" "$fl_release" "$fl_line"
    if [ -d "$FL_BASE/backups/$fl_id/data" ]; then
      fl_first_line "$FL_BASE/backups/$fl_id/data/manifest.json" ''
      printf '@backup-data %s %s\n' "$fl_id" "$fl_line"
    fi
    [ ! -d "$FL_BASE/releases/$fl_release" ] && [ -f "$fl_manifest" ] || continue
    fl_first_line "$FL_BASE/backups/$fl_id/status" proven
    set -- "$@" "label=@backed-up-release $fl_line" "$fl_manifest"
  done
  for fl_path in "$FL_BASE"/backups/.restored.*; do
    [ ! -e "$fl_path" ] || printf '@half-restored %s\n' "${fl_path##*/.restored.}"
  done
  [ $# -eq 0 ] || fl_labelled "$@"
  # shellcheck disable=SC2012  # names are hexadecimal
  printf '@files %s\n' "$(ls "$FL_BASE/files" 2>/dev/null | tr '\n' ' ')"
  if [ -f "$FL_BASE/audit.jsonl" ]; then
    printf '@audit %s\n' "$(tail -n 1 "$FL_BASE/audit.jsonl")"
  fi
}

fl_labelled() { # label=TEXT FILE…: each file as one line, after its label
  awk 'FNR == 1 { if (lines++) print ""; printf "%s ", label } { printf "%s", $0 } END { print "" }' "$@"
}

fl_observe_images() { # REFERENCE…
  for fl_reference in "$@"; do
    if docker image inspect "$fl_reference" >/dev/null 2>&1; then
      printf '@image %s present\n' "$fl_reference"
    else
      printf '@image %s absent\n' "$fl_reference"
    fi
  done
}
