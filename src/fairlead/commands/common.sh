# What Fairlead does on a host, as POSIX sh functions: needs only coreutils, tar, flock and docker.
# Sent in front of every script and into deploy/rollback.sh, so both do the same thing.
# Set by the caller: FL_KEY (<app>-<env>), FL_BASE (/opt/<app>/<env>), FL_TOKEN (owner of the lock).
# Lines for the program start with @ on stdout; lines for people go to stderr.

# Whatever a server's shells export, Compose hears only what it is told: no other file, project,
# profile or env file, no other naming, no other platform.
unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES COMPOSE_ENV_FILES COMPOSE_DISABLE_ENV_FILE \
  COMPOSE_COMPATIBILITY COMPOSE_REMOVE_ORPHANS COMPOSE_PATH_SEPARATOR COMPOSE_PARALLEL_LIMIT \
  COMPOSE_EXPERIMENTAL COMPOSE_PROGRESS COMPOSE_ANSI DOCKER_DEFAULT_PLATFORM

fl_fail() { # MESSAGE [CODE]: say why, and end the script
  printf '%s\n' "$1" >&2
  exit "${2:-1}"
}

fl_nap() { # [SECONDS]: a twentieth of a second, or a fraction; a second where sleep knows no less
  sleep "${1:-0.05}" 2>/dev/null || sleep 1
}

fl_uptime() { # sets fl_up: seconds since this host was started; no clock that is set changes them
  read -r fl_up fl_rest </proc/uptime
  fl_up=${fl_up%%.*}
}

fl_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

