# What a new ssh session begins with: it finds the state folder, takes in the programs that are
# missing there, says what kind of host this is, and becomes the program that was asked for.
#
# It is fed to a session, and keeps itself: the next session is told its name, and is quicker by a round trip.
# Bash reads what it is fed from its standard input byte by byte, so that what follows there is left for
# `mapfile` and `head`. The name of the host's login shell, its rc files and what they print do not matter:
# the client looks for the word that it has sent.

g_say() { # FIELD... : the word, how many bytes follow, and the fields, each ended by NUL
  local g_f g_size=0
  for g_f; do g_size=$((g_size + ${#g_f} + 1)); done
  printf '\n%s %s\n' "${g_a[0]}" "$g_size"
  printf '%s\0' "$@"
}

g_state_folder() { # → g_state
  g_state=${HOME-}/.local/state/grind
  [[ ${XDG_STATE_HOME-} == /* ]] && g_state=$XDG_STATE_HOME/grind
  [[ ${GRIND_STATE_DIR-} == /* ]] && g_state=$GRIND_STATE_DIR
  [[ $g_state == /* ]] || g_state=/tmp/grind-$EUID
  g_state+=${g_a[6]:+/${g_a[6]}}
  mkdir -p -- "$g_state/bin/run" "$g_state/sessions" && [[ -O $g_state && ! -L $g_state ]]
}

g_take_programs() { # NAME...: those that are not there; whoever sees a name sees all of it
  local g_size g_f
  local -a g_missing=()
  for g_f; do [[ -f $g_state/bin/run/$g_f ]] || g_missing+=("$g_f"); done
  ((${#g_missing[@]})) || return 0
  # Whoever only has our name feeds us then.
  [[ ! $g_named ]] || exit 127
  g_say need "${g_missing[@]}"
  for g_f in "${g_missing[@]}"; do
    IFS= read -r g_size
    head -c "$g_size" >"$g_state/bin/run/.$g_f.$$" && mv -f -- "$g_state/bin/run/.$g_f.$$" "$g_state/bin/run/$g_f" || return
  done
}

g_boot() { # [FIELD...]
  local g_f g_boot= g_named=${1-}
  local -a g_env g_nix=()
  # Word, what to become, its program, the runner's program, this one's name, after how many seconds without
  # a sign of life to go, and the repository's folder in the state folder.
  if [[ $g_named ]]; then g_a=("$@"); else mapfile -d '' -t -n 7 g_a; fi
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || { g_say old "$BASH_VERSION"; exit 1; }
  g_f=$(type -P head mkdir mv) || g_f=
  [[ $g_f == *$'\n'*$'\n'* ]] || { g_say bare; exit 1; }
  umask 077
  cd / || exit
  g_state_folder || { g_say state "$g_state"; exit 1; }
  g_take_programs "${g_a[@]:2:3}" || { g_say full "$g_state"; exit 1; }
  mapfile -d '' -t g_env <"/proc/$$/environ"
  for g_f in "${HOME-}/.nix-profile/bin" "/etc/profiles/per-user/${USER-}/bin" /nix/var/nix/profiles/default/bin /run/current-system/sw/bin; do
    [[ -d $g_f && :$PATH: != *:"$g_f":* ]] && g_nix+=("$g_f")
  done
  for g_f in "${g_nix[@]}"; do PATH=$PATH:$g_f; done
  { IFS= read -r g_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  g_say ready "$g_state" "$g_boot" "$BASH_VERSION" "$PATH" "$EUID" "${g_env[@]}"
  exec -c -- "$BASH" --noprofile --norc "$g_state/bin/run/${g_a[2]}" "${g_a[1]}" "$g_state" "$PATH" "${g_a[3]}" "${g_a[5]}"
}

LC_ALL=C
g_boot "$@"
exit
