# The lab's hosts: containers with an sshd and a Docker engine of their own, at fixed addresses.
# shellcheck shell=bash

key=$state/id_ed25519
known_hosts=$state/known_hosts
host_keys=$state/hosts           # one folder a host; kept, so that a host made again is still known

container() { printf 'fairlead-%s' "$1"; }
address() { printf '%s.%d' "$(network_prefix)" $((10 + ${1#host})); }
volume() { printf 'fairlead-%s-docker' "$1"; }

# Existing hosts, running or not, in the order of their numbers.
existing_hosts() {
    docker ps -a --filter "label=$label" --format '{{.Names}}' |
        sed -n 's/^fairlead-\(host[0-9]*\)$/\1/p' | sort -V
}

ssh_to() {
    local host=$1
    shift
    ssh -F /dev/null -i "$key" -o IdentitiesOnly=yes -o "UserKnownHostsFile=$known_hosts" \
        -o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=3 -o LogLevel=ERROR \
        "${user:-deploy}@$(address "$host")" "$@"
}

make_key() {
    [ -f "$2" ] || { mkdir -p "$(dirname "$2")" && ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$2"; }
}

# Flags that let a container run an engine. Most machines grant --privileged; where this machine's
# own root lacks a capability that is refused, and naming what is needed works.
host_flags() {
    if docker run --rm --privileged --network none "$base_image" true >/dev/null 2>&1; then
        printf '%s\n' --privileged
    else
        printf '%s\n' --cap-add=ALL --cap-drop=SYS_RESOURCE --security-opt=seccomp=unconfined \
            --security-opt=systempaths=unconfined --security-opt=apparmor=unconfined \
            '--device-cgroup-rule=a *:* rwm' --volume=/sys/fs/cgroup:/sys/fs/cgroup:rw
    fi
}

# Who the host is and who may enter, placed before its sshd first starts.
hand_over_keys() {
    make_key "$1" "$host_keys/$1/ssh_host_ed25519_key"
    cp "$key.pub" "$host_keys/$1/lab_keys"
    tar -C "$host_keys/$1" --owner=0 --group=0 -c . | docker cp - "$(container "$1"):/etc/ssh" >/dev/null
}

create_host() {
    docker volume create --label "$label" "$(volume "$1")" >/dev/null
    docker create --name "$(container "$1")" --hostname "$1" --label "$label" \
        --restart unless-stopped --stop-timeout 30 --tmpfs /run:exec \
        --network "$network" --ip "$(address "$1")" --network-alias "$1" \
        -v "$(volume "$1"):/var/lib/docker" "${flags[@]}" "$host_image" >/dev/null
    hand_over_keys "$1"
}

# A host another checkout made: learn who it is, and add our key to those that may enter.
adopt_host() {
    mkdir -p "$host_keys/$1"
    docker exec -i "$(container "$1")" sh -ec '
        read -r key
        grep -qxF "$key" /etc/ssh/lab_keys || echo "$key" >>/etc/ssh/lab_keys
        tar -C /etc/ssh -c ssh_host_ed25519_key ssh_host_ed25519_key.pub' \
        <"$key.pub" | tar -C "$host_keys/$1" -x
}

wait_for_host() {
    for _ in {1..60}; do
        ssh_to "$1" docker version >/dev/null 2>&1 && return
        sleep .25
    done
    docker exec "$(container "$1")" tail -n 15 /var/log/sshd.log /var/log/docker.log >&2 || true
    fail "$1 does not answer over SSH with a Docker engine" "Make it again: scripts/lab down; scripts/lab up"
}

warn_of_old_recipe() {
    [ "$(docker inspect -f '{{.Config.Image}}' "$(container "$1")")" = "$host_image" ] ||
        say "$1 … made by an older recipe; scripts/lab down, then up, makes it again"
}

start_host() {
    warn_of_old_recipe "$1"
    is_running "$(container "$1")" || docker start "$(container "$1")" >/dev/null
    adopt_host "$1"
}

write_known_hosts() {
    local host
    for host in "$@"; do
        printf '%s,%s %s\n' "$(address "$host")" "$host" \
            "$(cut -d' ' -f1,2 "$host_keys/$host/ssh_host_ed25519_key.pub")"
    done >"$known_hosts.new"
    mv "$known_hosts.new" "$known_hosts"
}
