# What the lab tells others: lab.json for programs, .env and .env.<environment> for the example,
# .lab/activate for a person's shell.
# shellcheck shell=bash

write_lab_json() {
    local host separator=
    {
        printf '{\n  "network": "%s",\n  "subnet": "%s.0/24",\n' "$network" "$(network_prefix)"
        printf '  "registry": "%s",\n  "push": "%s",\n' "$(registry_address)" "$(push_address)"
        printf '  "key": "%s",\n  "known_hosts": "%s",\n' "${key#"$root"/}" "${known_hosts#"$root"/}"
        printf '  "hosts": ['
        for host in "$@"; do
            printf '%s\n    {"name": "%s", "address": "%s", "port": 22, "user": "deploy"}' \
                "$separator" "$host" "$(address "$host")"
            separator=,
        done
        printf '\n  ]\n}\n'
    } >"$state/lab.json.new"
    mv "$state/lab.json.new" "$state/lab.json"
}

# .env may hold lines of its owner: only ours (LAB_…, and where the example's Redis comes from) are
# replaced.
write_env() {
    local host file=$root/.env
    {
        [ ! -f "$file" ] || grep -v -e '^LAB_' -e '^REDIS_IMAGE=' "$file" || true
        printf 'LAB_REGISTRY=%s\nLAB_PUSH=%s\n' "$(registry_address)" "$(push_address)"
        printf 'REDIS_IMAGE=%s/redis:8\n' "$(registry_address)"
        for host in "$@"; do
            printf 'LAB_%s=%s\n' "${host^^}" "$(address "$host")"
        done
    } >"$file.new"
    if cmp -s "$file" "$file.new"; then rm "$file.new"; else mv "$file.new" "$file"; fi
}

# write_environment NAME REDIS_HOST GREETING: written once; a secret stays what it was.
write_environment() {
    local file=$root/.env.$1
    [ ! -f "$file" ] || return 0
    (
        umask 077
        printf 'REDIS_URL=redis://%s:6379/0\nSECRET_KEY=%s\nGREETING=%s\n' "$2" \
            "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" "$3" >"$file"
    )
}

# A shell that reads it has the program, the hosts' addresses, and a Docker that knows Compose.
write_activate() {
    {
        printf '. %q\n. %q\n' "$root/.venv/bin/activate" "$root/.env"
        [ -z "${DOCKER_CONFIG-}" ] || printf 'export DOCKER_CONFIG=%q\n' "$DOCKER_CONFIG"
    } >"$state/activate.new"
    mv "$state/activate.new" "$state/activate"
}
