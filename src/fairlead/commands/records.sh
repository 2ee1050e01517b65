# What is kept on a host: releases, backups, the audit.

fl_json() { # TEXT: escaped for the inside of a JSON string
  printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g'
}

fl_audit() { # JSON: one line more in audit.jsonl
  (umask 027 && printf '%s\n' "$1" >>"$FL_BASE/audit.jsonl")
}

fl_receive() { # RELEASE: unpack the release's files from stdin; whole or not at all
  umask 077
  rm -rf "$FL_BASE/releases/.$1.partial"
  mkdir -p "$FL_BASE/releases/.$1.partial"
  tar -xpf - -C "$FL_BASE/releases/.$1.partial"
  # The manifest comes last: tar takes an archive that ends between two files for a whole one.
  [ -f "$FL_BASE/releases/.$1.partial/manifest.json" ] ||
    fl_fail "the upload of $1 was cut off; nothing was changed"
  fl_receive_files "$FL_BASE/releases/.$1.partial/files"
  rm -rf "${FL_BASE:?}/releases/$1"
  mv "$FL_BASE/releases/.$1.partial" "$FL_BASE/releases/$1"
  fl_status "$1" prepared
  for fl_name in rollback.sh smoke_tests.sh; do fl_receive_script "$1" "$fl_name"; done
}

fl_receive_script() { # RELEASE NAME: in reach in deploy/; one that runs there just now goes on as it was
  cp "$FL_BASE/releases/$1/$2" "$FL_BASE/deploy/.$2.new"
  mv -f "$FL_BASE/deploy/.$2.new" "$FL_BASE/deploy/$2"
}

fl_receive_files() { # DIRECTORY: move the project's files that came with a release to their place
  [ -d "$1" ] || return 0
  (umask 022 && mkdir -p "$FL_BASE/files")
  for fl_file in "$1"/*; do
    chmod 755 "$fl_file"
    [ -e "$FL_BASE/files/${fl_file##*/}" ] || mv "$fl_file" "$FL_BASE/files/"
  done
  rm -rf "$1"
}

fl_status() { # RELEASE STATUS: prepared | proven | failed | rolled-back
  [ -d "$FL_BASE/releases/$1" ] || return 0
  printf '%s\n' "$2" >"$FL_BASE/releases/$1/status.new"
  mv -f "$FL_BASE/releases/$1/status.new" "$FL_BASE/releases/$1/status"
}

fl_backup() { # STAMP RELEASE SEQUENCE: a self-contained copy of what is live, before deploy SEQUENCE
  fl_backup_begin "$@"
  fl_backup_end "$1"
}

fl_irreversible() { # RELEASE: from here on, what it found before it is gone; see fl_backup_restored
  : >"$FL_BASE/releases/$1/irreversible"
}

fl_restore() { # STAMP RELEASE: bring the release's files back from a backup if they are gone
  [ -d "$FL_BASE/releases/$2" ] && return 0
  fl_sums=$(cd "$FL_BASE/backups/$1" && sha256sum -c SHA256SUMS 2>&1) ||
    fl_fail "backup $1 is damaged: its checksums do not match; nothing was changed
$(printf '%s\n' "$fl_sums" | grep -v ': OK$')"
  rm -rf "$FL_BASE/releases/.$2.partial"
  cp -a "$FL_BASE/backups/$1" "$FL_BASE/releases/.$2.partial"
  mv "$FL_BASE/releases/.$2.partial" "$FL_BASE/releases/$2"
}

fl_prune() { # KEEP RELEASE…: remove what is older than the KEEP newest proven releases, and their backups
  # Never the named releases. Failed ones count for nothing and go with their age.
  fl_keep=$1 fl_proven=0
  shift
  for fl_release in $(fl_releases); do
    if [ "$fl_proven" -lt "$fl_keep" ]; then
      fl_first_line "$FL_BASE/releases/$fl_release/status" ''
      [ "$fl_line" != proven ] || fl_proven=$((fl_proven + 1))
      continue
    fi
    case " $* " in *" $fl_release "*) ;; *) fl_forget "$fl_release" ;; esac
  done
  fl_prune_backups "$fl_keep"
  [ ! -d "$FL_BASE/files" ] || fl_prune_files
  fl_prune_journal 20
}

fl_prune_backups() { # KEEP: remove backups beyond the KEEP newest, but for the newest of each release here
  # Those with data have rules of their own: see rollout/backups/retention.py.
  fl_held=' ' fl_left=$1
  for fl_stamp in $(fl_backups); do
    fl_first_line "$FL_BASE/backups/$fl_stamp/release" ''
    case $fl_held in
      *" $fl_line "*) fl_other=yes ;;
      *) fl_other=no fl_held="$fl_held$fl_line " ;;
    esac
    fl_left=$((fl_left - 1))
    [ "$fl_left" -lt 0 ] && [ ! -f "$FL_BASE/backups/$fl_stamp/data/manifest.json" ] || continue
    [ "$fl_other" = no ] && [ -d "$FL_BASE/releases/${fl_line:-.none}" ] || rm -rf "${FL_BASE:?}/backups/$fl_stamp"
  done
}

fl_prune_files() { # remove the project's files that no release and no backup mounts
  fl_used=$(grep -hos '/files/[^/]*/' "$FL_BASE"/*/*/*.yaml | sort -u) || :
  for fl_file in "$FL_BASE"/files/*; do
    case $fl_used in *"/files/${fl_file##*/}/"*) ;; *) rm -rf "$fl_file" ;; esac
  done
}

fl_forget() { # RELEASE: its files, and its images unless another release on this host has them
  fl_images=$(fl_image_references "$1" 2>/dev/null) || :
  rm -rf "${FL_BASE:?}/releases/$1"
  for fl_reference in $fl_images; do
    grep -qsF "$fl_reference" "${FL_BASE%/*/*}"/*/*/releases/*/manifest.json \
      "${FL_BASE%/*/*}"/*/*/backups/*/manifest.json ||
      docker rmi "$fl_reference" >/dev/null 2>&1 || : # one that runs is not removed
  done
}

fl_releases() { # ids, newest sequence first: the sequence is how an id begins
  for fl_path in "$FL_BASE"/releases/*/; do
    fl_path=${fl_path%/}
    [ ! -d "$fl_path" ] || echo "${fl_path##*/}"
  done | sort -rn
}

fl_backups() { # stamps, newest first, by the sequence each one recorded; never by file time
  for fl_path in "$FL_BASE"/backups/*/sequence; do
    [ -f "$fl_path" ] || continue
    fl_first_line "$fl_path" ''
    fl_path=${fl_path%/sequence}
    echo "$fl_line ${fl_path##*/}"
  done | sort -rn | cut -d ' ' -f 2
}

fl_first_line() { # FILE DEFAULT: sets fl_line, and starts no process for it
  fl_line=$2
  [ ! -f "$1" ] || IFS= read -r fl_line <"$1" || :
}

fl_image_references() { # RELEASE: its images on this host, by digest
  sed -n 's/.*"\([^" ]*@sha256:[0-9a-f]*\)".*/\1/p' "$FL_BASE/releases/$1/manifest.json" | sort -u
}
