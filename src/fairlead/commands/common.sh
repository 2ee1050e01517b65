# What Fairlead does on a host, as POSIX sh functions: needs only coreutils, tar, flock and docker.
# Sent in front of every script and into deploy/rollback.sh, so both do the same thing.
# Set by the caller: FL_KEY (<app>-<env>), FL_BASE (/opt/<app>/<env>), FL_TOKEN (owner of the lock).
# Lines for the program start with @ on stdout; lines for people go to stderr.

fl_fail() { # MESSAGE [CODE]: say why, and end the script
  printf '%s\n' "$1" >&2
  exit "${2:-1}"
}

fl_nap() { # a tenth of a second where sleep can, a second where it cannot
  sleep 0.1 2>/dev/null || sleep 1
}

fl_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

