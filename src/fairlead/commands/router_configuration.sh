# The router's configuration: staged as a whole in next/, tried there, then put in place and loaded.

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
  fl_router_remember ''
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
