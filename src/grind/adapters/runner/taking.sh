# The repository that checkouts are made from, as it comes from the client: packs of what is missing.
#
# A token says in which state the repository is. A client that knows the token knows what is there, and
# sends what is missing in one request; another is told the token and the refs first. Objects are only ever
# added; nothing is collected while grind uses them.

g_git_here() { # REPOSITORY ARGUMENT...: git there, without anybody's configuration
  export PATH LC_ALL=C HOME=$g_state XDG_CONFIG_HOME=$g_state GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
  export GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1 GIT_NO_LAZY_FETCH=1 GIT_ADVICE=0
  git --git-dir="$1" "${@:2}"
}

g_read_token() { # REPOSITORY → g_token
  g_token=
  { IFS= read -r g_token <"$1/grind-token"; } 2>/dev/null
  return 0
}

g_do_pack() { # REPOSITORY TOKEN NEW FORMAT HOW WORKSPACE, then what update-ref takes; the data is a pack
  local g_token g_repo=$g_state/${g_a[0]}
  if ! type -P git >/dev/null; then
    g_skip_data
    g_answer 127 '' 'git is not on the PATH of this host'
    return
  fi
  g_read_token "$g_repo"
  if [[ -z $g_token || $g_token != "${g_a[1]}" ]]; then
    g_skip_data
    g_in_files g_say_refs &
  elif ((g_bytes)) && ! g_unpack >"$g_files.o" 2>"$g_files.e"; then
    g_answer_files 1 "$g_files.o" "$g_files.e" &
  else
    g_in_files g_set_state &
  fi
}

g_unpack() { # what git does not read is read all the same
  head -c "$g_bytes" | {
    if [[ ${g_a[4]} == unpack ]]; then
      g_git_here "$g_repo" unpack-objects -q
    else
      g_git_here "$g_repo" index-pack --stdin --fix-thin
    fi
    g_rc=$?
    cat >/dev/null
    exit "$g_rc"
  }
  g_rc=$?
  g_is_whole || exit 0
  return "$g_rc"
}

g_set_state() { # set the refs, unless another client was here since
  exec {g_wake}<>"$g_repo/idle"
  g_lock "$g_repo/grind-lock"
  g_read_token "$g_repo"
  if [[ $g_token != "${g_a[1]}" ]]; then
    rm -f -- "$g_repo/grind-lock"
    g_say_refs
    return
  fi
  g_set_refs
  g_rc=$?
  if ((g_rc == 0)); then
    printf '%s\n' "${g_a[2]}" >"$g_repo/grind-token.new" && mv -f -- "$g_repo/grind-token.new" "$g_repo/grind-token"
    g_rc=$?
  fi
  rm -f -- "$g_repo/grind-lock"
  return "$g_rc"
}

g_set_refs() { # a name that goes may make room for one below it: that is not one transaction to git
  local g_f
  local -a g_gone=() g_new=()
  for g_f in "${g_a[@]:6}"; do
    if [[ $g_f == delete\ * ]]; then g_gone+=("$g_f"); else g_new+=("$g_f"); fi
  done
  ((${#g_gone[@]} == 0)) || printf '%s\n' "${g_gone[@]}" | g_git_here "$g_repo" update-ref --stdin || return
  ((${#g_new[@]} == 0)) || printf '%s\n' "${g_new[@]}" | g_git_here "$g_repo" update-ref --stdin
}

g_say_refs() { # what is there; the repository is made when it is not → status 3
  [[ -e $g_repo/grind-token ]] || g_make_bare || return 4
  g_read_token "$g_repo"
  printf '%s\n' "$g_token"
  g_git_here "$g_repo" for-each-ref --format='%(objectname) %(refname)' || return 4
  # What a repository that we borrow from has need not be sent either.
  if [[ ${g_a[5]} ]] && g_borrow; then
    g_git_here "$g_value" for-each-ref --format='%(objectname) borrowed'
  fi
  return 3
}

g_make_bare() { # of two clients, the one whose rename comes first
  local g_aside=$g_repo.new.$$.$BASHPID
  mkdir -p -- "${g_repo%/*}" && g_git_here "$g_aside" init -q --bare --template= "--object-format=${g_a[3]}" "$g_aside" &&
    g_git_here "$g_aside" config gc.auto 0 && g_git_here "$g_aside" config maintenance.auto false &&
    mkfifo -- "$g_aside/idle" && mkdir -p -- "$g_aside/objects/info" && printf 'new-%s\n' "$$-$BASHPID" >"$g_aside/grind-token" &&
    { mv -T -- "$g_aside" "$g_repo" 2>/dev/null || rm -rf -- "$g_aside"; } && [[ -e $g_repo/grind-token ]]
}

g_borrow() { # see the objects of the user's own clone here → g_value: its folder
  g_value=$(cd -- "${g_a[5]}" && export PATH && git rev-parse --path-format=absolute --git-common-dir) 2>/dev/null || return 1
  # A line of `alternates` ends where a path goes on.
  [[ $g_value == /* && -d $g_value/objects && $g_value != *$'\n'* ]] || return 1
  [[ -s $g_repo/objects/info/alternates ]] || printf '%s/objects\n' "$g_value" >"$g_repo/objects/info/alternates"
}

g_main_take() { # STATE: a pack that is too long for the session, on the standard input
  g_state=$1
  mapfile -d '' -t -n 1 g_a
  g_git_here "$1/${g_a[0]}" index-pack --stdin --fix-thin
}
