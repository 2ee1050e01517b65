# Makes a fresh Debian or Ubuntu server ready for deploys. Runs as root; sent only by `host.setup`.
# Each function looks first and changes only what is not right yet:
#   @setup had WHAT   it was right already     @setup did WHAT   it is right now
#   @setup now WHAT   begins something that takes a while
# Neither sshd, nor a firewall, nor daemon.json is ever touched.

fl_had() { printf '@setup had %s\n' "$1"; }
fl_did() { printf '@setup did %s\n' "$1"; }
fl_now_doing() { printf '@setup now %s\n' "$1"; }

# -- packages

fl_setup_docker() { # VERSION REPOSITORY: a Docker engine, and a Compose at least as new as VERSION
  [ "$(id -u)" -eq 0 ] || fl_fail 'this needs root'
  if fl_has_engine && fl_has_compose "$1"; then
    fl_had "Docker $(fl_engine_version), Compose $(docker compose version --short)"
    return 0
  fi
  fl_require_apt
  fl_now_doing 'reading the package lists'
  fl_apt update
  fl_compose=$(fl_compose_package "$1") || {
    fl_docker_repository "$2"
    fl_compose=docker-compose-plugin
  }
  fl_packages=$fl_compose
  fl_has_engine || fl_packages=$(fl_engine_packages "$fl_compose")
  fl_now_doing "installing $fl_packages"
  # shellcheck disable=SC2086  # package names are separate words
  fl_apt install --no-install-recommends $fl_packages
  fl_has_compose "$1" || fl_fail "after installing $fl_packages, docker compose is still not $1 or newer"
  fl_did "Docker $(fl_engine_version), Compose $(docker compose version --short) installed ($fl_packages)"
}

fl_has_engine() { command -v docker >/dev/null 2>&1 && { command -v dockerd || docker info; } >/dev/null 2>&1; }

fl_engine_version() { docker --version | sed 's/^Docker version \([^,+]*\).*/\1/'; }

fl_has_compose() { # VERSION
  fl_found=$(docker compose version --short 2>/dev/null) && fl_at_least "${fl_found#v}" "$1"
}

fl_at_least() { # VERSION WANTED
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

fl_compose_package() { # VERSION: which package has it: Docker's, where its repository is known, Ubuntu's, Debian's
  for fl_package in docker-compose-plugin docker-compose-v2 docker-compose; do
    fl_candidate=$(fl_candidate "$fl_package")
    if [ -n "$fl_candidate" ] && fl_at_least "$fl_candidate" "$1"; then
      echo "$fl_package"
      return 0
    fi
  done
  return 1
}

fl_candidate() { # PACKAGE: the version apt would install, without epoch; nothing when it knows none
  LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p' | grep -v '(none)' | sed 's/^[0-9]*://'
}

fl_engine_packages() { # COMPOSE-PACKAGE: the engine from the same source, and what it needs to work
  if [ "$1" = docker-compose-plugin ]; then
    echo "docker-ce docker-ce-cli containerd.io $1"
  else
    # In newer releases the client is a package of its own.
    fl_client=$(fl_candidate docker-cli)
    # Docker starts nothing where the kernel has AppArmor and its parser is not installed.
    grep -qs Y /sys/module/apparmor/parameters/enabled && fl_armor=' apparmor' || fl_armor=''
    echo "docker.io${fl_client:+ docker-cli} $1 ca-certificates iptables$fl_armor"
  fi
}

fl_os() { # FIELD of /etc/os-release
  sed -n "s/^$1=//p" /etc/os-release | tr -d '"'
}

fl_require_apt() { # packages are installed on Debian and Ubuntu only
  case $(fl_os ID) in
    debian | ubuntu) ;;
    *)
      fl_fail "this is $(fl_os PRETTY_NAME), and Docker is installed on Debian and Ubuntu only: install it and its Compose plugin by hand (https://docs.docker.com/engine/install/), then repeat this for the rest" 69
      ;;
  esac
}

fl_apt() { # WORDS…: waits for an apt that runs already, as on a server's first boot
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@" >&2 ||
    fl_fail "apt-get $* failed" 69
}

fl_docker_repository() { # URL: Docker's own packages, as its installation guide has it
  [ -n "$1" ] || fl_fail "$(fl_os PRETTY_NAME) has no Compose that is new enough in its own packages; name Docker's package repository for $(fl_os ID) (docs.docker.com/engine/install tells its address): --docker-repository=<URL>" 69
  fl_now_doing "adding Docker's own package repository: $(fl_os PRETTY_NAME) has no Compose that is new enough"
  fl_site=$1
  fl_apt install --no-install-recommends ca-certificates
  install -m 0755 -d /etc/apt/keyrings
  /usr/lib/apt/apt-helper download-file "$fl_site/gpg" /etc/apt/keyrings/docker.asc >&2 ||
    fl_fail "$fl_site/gpg cannot be fetched" 69
  chmod 0644 /etc/apt/keyrings/docker.asc
  printf '%s\n' 'Types: deb' "URIs: $fl_site" "Suites: $(fl_os VERSION_CODENAME)" 'Components: stable' \
    "Architectures: $(dpkg --print-architecture)" 'Signed-By: /etc/apt/keyrings/docker.asc' \
    >/etc/apt/sources.list.d/docker.sources
  fl_apt update
  fl_did "Docker's package repository added (/etc/apt/sources.list.d/docker.sources)"
}

# -- the engine

fl_setup_service() { # the engine runs, now and after a reboot
  if [ -d /run/systemd/system ]; then
    fl_setup_unit
  elif docker info >/dev/null 2>&1; then
    fl_had 'Docker runs'
  elif [ -x /etc/init.d/docker ]; then
    /etc/init.d/docker start >&2 || fl_fail '/etc/init.d/docker start failed'
    fl_await_engine
    fl_did 'Docker started'
  else
    fl_fail 'Docker does not run, and there is neither systemd nor /etc/init.d/docker to start it with'
  fi
}

fl_setup_unit() { # as fl_setup_service, where systemd runs
  if systemctl -q is-enabled docker 2>/dev/null && systemctl -q is-active docker; then
    fl_had 'Docker runs, and starts at boot'
  else
    systemctl enable --now docker >&2 || fl_fail 'systemctl enable --now docker failed'
    fl_did 'Docker started, and made to start at boot'
  fi
  fl_await_engine
}

fl_await_engine() { # it answers within 30 seconds
  fl_deadline=$(($(date +%s) + 30))
  until docker info >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$fl_deadline" ] || fl_fail 'Docker does not answer 30 s after its start; its log tells why'
    fl_nap
  done
}

# -- the user

fl_setup_user() { # USER: exists, has no password, may use Docker
  if id "$1" >/dev/null 2>&1; then
    fl_had "user $1"
  else
    # `*` is a password nobody has; `!` would lock the account, keys included.
    useradd --create-home --shell /bin/bash --password '*' "$1" >&2 || fl_fail "user $1 cannot be made"
    fl_did "user $1 made, without a password"
  fi
  getent group docker >/dev/null || groupadd --system docker
  if [ "$1" = root ] || id -nG "$1" | tr ' ' '\n' | grep -qx docker; then
    fl_had "user $1 may use Docker"
  else
    usermod -aG docker "$1"
    fl_did "user $1 added to the group docker"
  fi
}

fl_as() { # USER COMMAND [WORD…]: a shell command as that user, the words as $1, $2 …
  fl_user=$1 fl_command=$2
  shift 2
  su -s /bin/sh "$fl_user" -c "$fl_command" sh "$@"
}

fl_setup_key() { # USER KEY NAME: that public key may log in as USER; written by USER, in USER's home
  # shellcheck disable=SC2016  # expanded by that user's shell
  if fl_as "$1" 'grep -sv "^ *#" ~/.ssh/authorized_keys | grep -qF -- "$1"' "$(echo "$2" | cut -d ' ' -f 1,2)"; then
    fl_had "key $3 may log in as $1"
    return 0
  fi
  # shellcheck disable=SC2016
  fl_as "$1" 'umask 077
    mkdir -p ~/.ssh && touch ~/.ssh/authorized_keys || exit 1
    [ -z "$(tail -c 1 ~/.ssh/authorized_keys)" ] || echo >>~/.ssh/authorized_keys
    printf "%s\n" "$1" >>~/.ssh/authorized_keys' "$2" || fl_fail "the key cannot be added for user $1"
  fl_did "key $3 may log in as $1"
}

fl_setup_directory() { # PATH USER MODE: USER may write there
  if [ -d "$1" ] && fl_may_write "$2" "$1"; then
    fl_had "$1"
    return 0
  fi
  (umask 022 && mkdir -p "$1")
  chown -R "$2:docker" "$1"
  chmod "$3" "$1"
  fl_may_write "$2" "$1" || fl_fail "$1 is $2's now, but $2 still cannot write there: look at the directories above it"
  fl_did "$1 made $2's"
}

# shellcheck disable=SC2016  # expanded by that user's shell
fl_may_write() { fl_as "$1" '[ -w "$1" ] && [ -x "$1" ]' "$2"; }

fl_setup_proof() { # USER: really may use Docker and Compose
  fl_as "$1" 'docker info >/dev/null && docker compose version >/dev/null' >&2 || fl_fail "user $1 cannot use Docker"
}
