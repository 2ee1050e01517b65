# The programs that `lint` and `scan` are tested with, each installed apart; see scripts/tools.
# shellcheck shell=bash

tools=$state/tools
pins=$root/scripts/tools

# Sourced: the callers' `say` and `fail` are those of common.sh.
install_tools() {
    local file
    mkdir -p "$tools/bin"
    tools=$(cd "$tools" && pwd -P) # what is installed names its place
    exec 9>"$tools/.lock" # two checkouts may share a lab
    flock 9
    : >"$tools/left-out"
    for file in "$pins"/uv.txt "$pins"/*.txt; do
        install_tool python_tool "$(basename "$file" .txt)" "$file"
    done
    for file in "$pins"/*/package-lock.json; do
        if command -v npm >/dev/null; then
            install_tool npm_tool "$(basename "$(dirname "$file")")" "$file"
        else
            say "$(basename "$(dirname "$file")") … left out: there is no npm"
            basename "$(dirname "$file")" >>"$tools/left-out" # tests/tools.py skips what needs it
        fi
    done
    exec 9>&-
    say "tools … ready (.lab/tools/bin)"
}

# install_tool HOW NAME FILE: unless it is there with the same pins.
install_tool() {
    local how=$1 name=$2 file=$3 wanted
    wanted=$(sha256sum <"$file")
    [ "$(cat "$tools/$name/.pins" 2>/dev/null)" != "$wanted" ] || return 0
    say "$name … installing"
    rm -rf "${tools:?}/$name"
    quietly "$how" "$name" "$file" || fail "$name could not be installed" "Its last lines are above."
    link_programs "$name" "$file"
    printf '%s' "$wanted" >"$tools/$name/.pins"
}

# uv is brought by pip and brings the rest: many times faster, and files of one package are shared.
python_tool() {
    local name=$1 file=$2 uv=$tools/uv/bin/uv
    if [ "$name" = uv ]; then
        "$root/.venv/bin/python" -m venv "$tools/uv" &&
            "$tools/uv/bin/pip" install -q --disable-pip-version-check -r "$file"
        return
    fi
    export UV_CACHE_DIR=$tools/.cache UV_LINK_MODE=hardlink
    "$uv" venv -q --no-config --python "$root/.venv/bin/python" "$tools/$name" &&
        "$uv" pip install -q --no-config --python "$tools/$name/bin/python" -r "$file"
}

npm_tool() {
    local name=$1 file=$2
    mkdir -p "$tools/$name"
    cp "$(dirname "$file")"/package*.json "$tools/$name/"
    (cd "$tools/$name" && npm ci --no-audit --no-fund --omit-lockfile-registry-resolved)
}

# The program has the name of the tool, unless the file names its programs.
link_programs() {
    local name=$1 file=$2 program folder
    local -a programs
    read -r -a programs <<<"$(sed -n 's/^# programs: //p' "$file")"
    [ ${#programs[@]} -gt 0 ] || programs=("$name")
    folder=../$name/bin
    [ -d "$tools/$name/bin" ] || folder=../$name/node_modules/.bin
    for program in "${programs[@]}"; do
        [ -x "$tools/bin/$folder/$program" ] || fail "$name has no program $program"
        ln -sfn "$folder/$program" "$tools/bin/$program"
    done
}
