# Shared by scripts/bootstrap and scripts/lab: where things are, how to speak, how to find Docker.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=$root/.lab                 # everything the lab writes; git-ignored
docker_config=$state/docker      # our own Docker client plugins, where the machine has none

say() { printf '==> %s\n' "$*"; }

# complain WHAT [NEXT…]: what went wrong, then what to do about it, one line each.
complain() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
}
fail() { complain "$@"; exit 1; }
misused() { complain "$@"; exit 2; }

# quietly COMMAND…: runs it, and shows what it said only when it failed.
quietly() {
    local log code=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || code=$?
    [ "$code" -eq 0 ] || tail -n 30 "$log" >&2
    rm -f "$log"
    return "$code"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

engine_version() { docker version --format '{{.Server.Version}}' 2>/dev/null; }

# The first 12 hex digits of a hash over files and all files below folders, names included.
fingerprint() {
    find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12
}

# The mirror this machine's apt already uses for Debian itself. Apt knows it by its index only.
debian_mirror() {
    configured_mirror | grep . || { as_root apt-get update -qq >&2 && configured_mirror; }
}
configured_mirror() {
    # shellcheck disable=SC2016  # apt expands these
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" \
            '$1 == release && !seen++ { print $2 }'
}

# Plugins from bootstrap, if it had to bring its own.
[ ! -d "$docker_config/cli-plugins" ] || export DOCKER_CONFIG=$docker_config
