# The lab's registry: hosts pull from its address on the lab's network; this machine pushes through
# a loopback port, which every Docker engine trusts without TLS.
# shellcheck shell=bash

registry=fairlead-registry

registry_address() { printf '%s.2:5000' "$(network_prefix)"; }
push_address() { docker port "$registry" 5000/tcp | sed -n 1p; }

port_is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_push_port() {
    local port
    for port in {5000..5019}; do
        port_is_free "$port" && { printf '%s' "$port"; return; }
    done
    fail "ports 5000 to 5019 of this machine are all taken" "Free one for the lab's registry."
}

create_registry() {
    docker volume create --label "$label" "$registry" >/dev/null
    docker run -d --name "$registry" --label "$label" --restart unless-stopped \
        --network "$network" --ip "$(network_prefix).2" -p "127.0.0.1:$(free_push_port):5000" \
        -v "$registry:/var/lib/registry" "$(image_of registry)" >/dev/null
}

start_registry() {
    is_running "$registry" || quietly docker start "$registry" 2>/dev/null || create_registry
    local url
    url=http://$(push_address)/v2/
    for _ in {1..50}; do
        curl -fsS -m 2 -o /dev/null "$url" 2>/dev/null && return
        sleep .1
    done
    docker logs --tail 10 "$registry" >&2
    fail "the lab's registry does not answer at $url"
}

# push_image LOCAL NAME:TAG: prints the reference hosts use, and the digest.
push_image() {
    local target
    target=$(push_address)/$2
    docker tag "$1" "$target"
    quietly docker push "$target" || fail "$2 could not be pushed to the lab's registry"
    docker image inspect "$target" --format '{{range .RepoDigests}}{{println .}}{{end}}' |
        awk -F@ -v repository="${target%:*}" -v name="$(registry_address)/$2" \
            '$1 == repository && !seen++ { print name, $2 }'
}

publish_image() { push_image "$(image_of "$1")" "${published[$1]}" >/dev/null; }
