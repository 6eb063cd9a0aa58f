# `hashFiles` over a folder of the host: the walk, as grind.adapters.hashing does it here.

g_walk_all() { # FOLDER FOLLOW ROOT... : each file as `f` and its path, what cannot be read as `!`, its path, why
  local g_top=${g_a[0]} g_follow=${g_a[1]} g_root
  shopt -s dotglob
  for g_root in "${g_a[@]:2}"; do
    printf 'r%s\0' "$g_root"
    g_on_the_way "$g_root" && g_walk "$g_root" /
  done
  return 0
}

g_on_the_way() { # PATH: what stands between the folder and it is folders
  local g_at=$g_top g_rest=$1
  while [[ $g_rest == */* ]]; do
    g_at+=/${g_rest%%/*} g_rest=${g_rest#*/}
    [[ -e $g_at ]] || return 1
    [[ -d $g_at ]] || { printf '!%s\0%s\0' "$g_at" 'Not a directory'; return 1; }
    [[ -x $g_at ]] || { printf '!%s\0%s\0' "$g_at" 'Permission denied'; return 1; }
  done
}

g_walk() { # PATH ABOVE: files at or below it; ABOVE are the folders that we are in, as they really are
  local g_full=$g_top${1:+/$1} g_name g_real
  if [[ -L $g_full && $1 && ! $g_follow ]]; then
    # A link to a folder is not hashed; one to nothing fails when it matches.
    [[ -d $g_full ]] || printf 'f%s\0' "$1"
    return
  fi
  [[ -e $g_full ]] || return 0
  [[ -d $g_full ]] || { printf 'f%s\0' "$1"; return; }
  [[ -r $g_full && -x $g_full ]] || { printf '!%s\0%s\0' "$g_full" 'Permission denied'; return; }
  g_real=
  if [[ $g_follow ]]; then
    g_real=$(cd -P -- "$g_full" && printf '%s.' "$PWD")
    [[ $2 == *"/${g_real//\//:}/"* ]] && return
  fi
  for g_name in "$g_full"/*; do
    g_walk "${1:+$1/}${g_name##*/}" "$2${g_real//\//:}/"
  done
}

g_sum_all() { # FILE... : their SHA-256, each with its name and a NUL
  local g_f
  for g_f in "${g_a[@]}"; do
    [[ -e $g_f ]] || { printf '%s: No such file or directory' "$g_f" >&2; return 1; }
    [[ -f $g_f ]] || { printf '%s: it is no regular file' "$g_f" >&2; return 1; }
  done
  sha256sum -z -- "${g_a[@]}"
}
