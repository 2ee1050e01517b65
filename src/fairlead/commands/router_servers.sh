# The router's servers: the containers behind a backend; asked, held, admitted, drained.

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
  # A router that is just being started again is waited for: a way back must not fail for its second.
  fl_uptime
  rt_until=$((fl_up + 15))
  while :; do
    rt_answer=$(fl_router_api "show servers state $1") || :
    case $rt_answer in
      *'# be_id'*) break ;;
      *'find backend'*) fl_fail "the router knows no backend $1" ;;
    esac
    fl_uptime
    [ "$fl_up" -lt "$rt_until" ] || fl_fail "the router of this host does not answer"
    fl_nap 0.2
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

fl_router_slot() { # NAME CONFIG_FILE: a slot's backends are as in this file, and take requests
  fl_router_apply "$1" "$2"
  fl_ready_slot "$1" "$2"
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
  fl_uptime
  rt_waiting=$1 rt_deadline=$((fl_up + $2)) rt_shown=''
  shift 2
  trap 'fl_servers "$rt_waiting-probe" | fl_probe_end' EXIT
  trap 'exit 1' HUP INT TERM
  while :; do
    rt_seen=$(fl_servers "$rt_waiting" "$rt_waiting-probe")
    printf '%s\n' "$rt_seen" | fl_probe_begin
    rt_found=$(printf '%s\n' "$rt_seen" | fl_servers_judge "$*")
    case $rt_found in
      *'not asked yet'* | "$rt_shown") ;;
      *) printf '@health %s %s\n' "$rt_waiting" "$rt_found" && rt_shown=$rt_found ;;
    esac
    if [ "$rt_found" = "$#/$# ok" ]; then
      trap - EXIT
      printf '%s\n' "$rt_seen" | fl_probe_end
      return 0
    fi
    fl_uptime
    [ "$fl_up" -le "$rt_deadline" ] || break
    fl_nap 0.02
  done
  echo "$rt_waiting is not healthy in time: ${rt_shown:-$rt_found}" >&2
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
  # While a check is under way, HAProxy shows the result of the last one without its code.
  awk -v wanted="$1" '
    function fault(check, code, said) {
      gsub(/_/, " ", said)
      if (check == "-" || (check ~ /^L7(STS|RSP)/ && code == 0)) return "not asked yet"
      if (check == "L4CON") return "refuses connections"
      if (check == "L4TOUT") return "cannot be connected to"
      if (check == "L7TOUT") return "takes connections and does not answer"
      if (check == "L7RSP") return "answers, but not in HTTP"
      if (check == "L7STS") return "answers " code " " said
      return check "/" code " " said
    }
    $2 !~ /-probe$/ { there[$4] }
    $2 ~ /-probe$/ { check[$4] = $7; code[$4] = $8; said[$4] = $9 }
    END {
      total = split(wanted, list, " ")
      for (i = 1; i <= total; i++) {
        address = list[i]
        expected[address] = 1
        if (!(address in check && address in there)) note = note ", " address " is not known to the router yet"
        else if (check[address] !~ /^L7OK/) note = note ", " address " " fault(check[address], code[address], said[address])
        else good++
      }
      for (address in check) if (!(address in expected)) note = note ", " address " is none of them"
      print good + 0 "/" total (note == "" ? " ok" : substr(note, 2))
    }'
}

# Drained: nothing is open, in any of the router's processes.

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
  fl_uptime
  rt_deadline=$((fl_up + $1))
  shift
  for rt_backend in "$@"; do
    fl_drain_until "$rt_deadline" "$rt_backend"
  done
}

fl_drain_until() { # DEADLINE (of fl_uptime) BACKEND [ADDRESS]
  rt_until=$1 rt_shown=''
  shift
  while :; do
    rt_open=$(fl_open "$@") || :
    [ "${rt_open:-$rt_shown}" = "$rt_shown" ] || printf '@drain %s %s\n' "$1" "$rt_open"
    rt_shown=${rt_open:-$rt_shown}
    [ "$rt_open" != 0 ] || return 0
    fl_uptime
    if [ "$fl_up" -gt "$rt_until" ]; then
      printf '@drain-timeout %s %s\n' "$1" "${rt_shown:-0}"
      return 0
    fi
    fl_nap
  done
}
