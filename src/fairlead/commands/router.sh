# The router of a host: one HAProxy container for all applications, its files under $FL_ROUTER.
#   base.cfg haproxy.cfg conf.d/<key>-<slot>.cfg certificates/<key>.pem   what it is configured with
#   maps/routes.map maps/live.map                                        where requests go
#   run/                                                                 its sockets
# The container sees $FL_ROUTER as /fairlead. All that changes it holds a lock on that directory.

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

# What there is.

fl_observe_router() { # the router and what it does for $FL_KEY
  fl_inspect fairlead-router
  fl_observe_routes
}

fl_observe_routes() { # what the router is configured with; routes of others, to see collisions
  # @router-config SHA256|stale   @router-certificate FILE, if $FL_KEY has one
  # @route PREFIX KEY   @live KEY runtime=VALUE file=VALUE
  if fl_router_is_current; then
    printf '@router-config %s\n' "$(sha256sum <"$FL_ROUTER/base.cfg" | cut -c 1-64)"
  else
    echo '@router-config stale'
  fi
  [ ! -f "$FL_ROUTER/certificate-$FL_KEY" ] ||
    printf '@router-certificate %s\n' "$(cat "$FL_ROUTER/certificate-$FL_KEY")"
  awk -v key="$FL_KEY" '{ split($2, owner, "/") } owner[1] != key { print "@route", $1, owner[1] }' \
    "$FL_ROUTER/maps/routes.map" 2>/dev/null || :
  fl_live
}

fl_router_is_current() { # its files are loaded, and the certificate is the one at its source
  [ -d "$FL_ROUTER/run" ] && fl_router_is_loaded || return 1
  [ ! -f "$FL_ROUTER/certificate-$FL_KEY" ] ||
    fl_same "$(cat "$FL_ROUTER/certificate-$FL_KEY")" "$FL_ROUTER/certificates/$FL_KEY.pem"
}
