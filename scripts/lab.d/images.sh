# The lab's images: pulled where a registry answers, else made from Debian packages on this machine.
# shellcheck shell=bash

recipes=$root/scripts/lab.d/images
base_image=fairlead-lab/debian:trixie

# What a recipe stands in for, pulled instead when it can be. Recipes not named here are ours alone.
declare -A official=([debian]=debian:trixie-slim [python]=python:3.13-slim [redis]=redis:8
    [haproxy]=haproxy:3.0)
# What hosts pull them as.
declare -A published=([python]=lab/python:3.13-slim [redis]=redis:8 [haproxy]=haproxy:3.0)

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# The local name of a recipe's image changes with the recipe, and with what is baked into it.
image_of() {
    local inputs=("$recipes/$1")
    [ "$1" != python ] || mapfile -t -O 1 inputs < <(example_requirements)
    printf 'fairlead-lab/%s:%s' "$1" "$(cd "$root" && fingerprint "${inputs[@]#"$root"/}")"
}

example_requirements() { find "$root/examples" -name requirements.txt | sort; }

# Asked once a run, and only when an image is missing: some networks let nothing be pulled, and say
# so only after a while.
registry_answers() {
    [ -n "${can_pull-}" ] ||
        { timeout 5 docker manifest inspect "${official[debian]}" >/dev/null 2>&1 && can_pull=yes; } ||
        can_pull=no
    [ "$can_pull" = yes ]
}

pull_official() {
    [ -n "${official[$1]-}" ] && registry_answers &&
        timeout 180 docker pull -q "${official[$1]}" >/dev/null && docker tag "${official[$1]}" "$2"
}

# Without manuals, and with an apt that keeps no archives: every image is a layer on top of this.
make_base() {
    local image
    [ -n "$mirror" ] || fail "no Debian mirror in this machine's apt sources, and nothing to pull from" \
        "Make ${official[debian]} pullable, or name a mirror in /etc/apt/sources.list."
    # shellcheck disable=SC2016  # the hook expands $1
    image=$(as_root mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates \
        --aptopt='Acquire::Languages "none"' --aptopt='Dir::Cache::pkgcache ""' \
        --aptopt='Dir::Cache::srcpkgcache ""' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --customize-hook='echo "APT::Keep-Downloaded-Packages \"false\";" >"$1/etc/apt/apt.conf.d/90lab"' \
        trixie - "$mirror" | docker import -c 'CMD ["bash"]' -) ||
        fail "mmdebstrap could not make a Debian base image" "Its last lines are above."
    docker tag "$image" "$base_image"
}

provide_base() {
    has_image "$base_image" && return
    say "image debian … obtaining"
    pull_official debian "$base_image" || make_base
    say "image debian … ready"
}

# Wheels of all our examples, for the stand-in Python's architecture and version, not this machine's.
download_wheels() {
    local arch file
    arch=$(uname -m)
    mkdir -p "$1"
    for file in $(example_requirements); do
        quietly "$root/.venv/bin/python" -m pip download -q --disable-pip-version-check -d "$1" \
            --no-deps --only-binary=:all: --python-version 3.13 --implementation cp \
            --abi cp313 --abi abi3 --abi none --platform "manylinux_2_28_$arch" \
            --platform "manylinux_2_17_$arch" --platform "manylinux2014_$arch" -r "$file" ||
            fail "pip could not download the packages of ${file#"$root"/}"
    done
}

build_recipe() {
    local context=$recipes/$1
    if [ "$1" = python ]; then
        context=$(mktemp -d)
        cp -r "$recipes/python/." "$context"
        download_wheels "$context/wheels"
    fi
    quietly docker build -t "$2" --build-arg "BASE=$base_image" "$context" ||
        fail "the image of scripts/lab.d/images/$1 does not build"
    [ "$1" != python ] || rm -rf "$context"
}

provide_image() {
    local image
    image=$(image_of "$1")
    has_image "$image" && return
    pull_official "$1" "$image" || build_recipe "$1" "$image"
    say "image $1 … ready"
}

provide_images() {
    local name missing=()
    for name in host registry python redis haproxy; do
        has_image "$(image_of "$name")" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    registry_answers || true    # settles it once, before the builds run apart
    # Only the Python image needs our environment, which may take as long as the base. Its packages
    # are apt's business too: ask apt for the mirror before.
    local environment='' mirror
    mirror=$(debian_mirror)
    if [[ " ${missing[*]} " == *" python "* ]]; then
        "$root/scripts/bootstrap" python &
        environment=$!
    fi
    provide_base
    [ -z "$environment" ] || wait "$environment"
    say "images … obtaining ${missing[*]}"
    each provide_image "${missing[@]}"
}
