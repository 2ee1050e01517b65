# Where requests go: routes (host and path → application and service), and the live slot.

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

# The live slot: `blue`, `blue:green:3333` (3333 of 10000 requests to green), or `-` for none.

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
