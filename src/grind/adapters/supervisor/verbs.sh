# The verbs, each one call of a client. 0 done, 3 refused, 75 another activation is under way.
# LOCK is the path of the script of this host's locks (hostscripts/lock.sh), FROM where the client is.

g_main() {
  local g_verb=${1-}
  g_home=${2-}
  shift 2 2>/dev/null
  [[ $g_home ]] || g_default_home
  [[ $g_home == /* && $g_home != *[[:cntrl:]]* ]] || g_fail 2 'the state folder must be an absolute path'
  g_log=/dev/null
  case $g_verb in
    start) g_host_lock=${1-} g_origin=${2-} && g_start ;;
    run) g_host_lock=${2-} g_origin=${3-} && g_enter "${1-}" && g_run ;;
    tell) g_tell "${1-}" "${2-}" "${3-}" ;;
    dry) g_dry "${1-}" ;;
    ack | red) g_word "$g_verb" "${1-}" "${2-}" ;;
    repair) g_host_lock=${2-} g_origin=${3-} && g_repair "${1-}" ;;
    history) g_history "${1-}" "${2-}" "${3-}" ;;
    log) g_enter "${1-}" && tail -c 65536 -- "$g_log" ;;
    *) g_fail 2 'usage: grind-activate start|dry|tell|ack|red|repair|history|log STATE-FOLDER …' ;;
  esac
}

g_default_home() {
  g_home=/var/lib/grind/activation
  [[ $EUID == 0 ]] || g_home=${HOME-}/.local/state/grind/activation
}

g_enter() { # ID: take up an activation that exists
  [[ ${1-} =~ ^[0-9a-z-]{8,64}$ ]] || g_fail 2 'not the name of an activation'
  g_folder=$g_home/a/$1
  [[ -f $g_folder/spec ]] && g_take_spec "$g_folder/spec" || g_fail 3 "there is no activation $1 here"
  g_log=$g_folder/log
  g_failed=() g_new_failures=()
}

# start LOCK FROM: data is the spec. The host must still be as it was when the plan was made.
g_start() {
  g_open_state
  exec {g_lock}>>"$g_home/lock"
  flock -n "$g_lock" || g_fail 75 'another activation is being started on this host'
  exec {g_busy}>>"$g_home/busy"
  flock -n "$g_busy" || g_fail 75 'another activation is under way on this host'
  if g_last_id && g_last_of "$g_id" && ! g_is_final "$g_phase"; then
    g_fail 3 "the last activation on this host ($g_id) was cut off and has to be repaired first"
  fi
  local g_aside=$g_home/a/.new
  rm -rf -- "$g_aside"
  mkdir -- "$g_aside" || g_fail 3 'the state folder cannot be written to'
  cat >"$g_aside/spec" && mkfifo -- "$g_aside/wake" && : >"$g_aside/log" && sync -- "$g_aside/spec" || {
    rm -rf -- "$g_aside"
    g_fail 3 'the state folder cannot be written to (is the disk full?)'
  }
  g_take_spec "$g_aside/spec" || {
    rm -rf -- "$g_aside"
    g_fail 2 'the activation is described in a way that this supervisor does not understand'
  }
  g_folder=$g_aside g_log=$g_aside/log
  g_why=
  g_check_ground
  [[ ! -e $g_home/a/$g_id ]] || g_why="there is an activation $g_id already"
  if [[ $g_why ]]; then
    rm -rf -- "$g_aside"
    g_fail 3 "$g_why"
  fi
  mv -- "$g_aside" "$g_home/a/$g_id" || g_fail 3 'the state folder cannot be written to'
  g_boot_id
  g_record begun "boot=$g_boot" "kind=$g_kind" "purpose=$g_purpose" "old=$g_old" "generation=$g_generation" \
    "new=$g_new" "revision=$g_revision" "tree=$g_tree" "who=$g_who" || g_fail 3 'the record could not be written (is the disk full?)'
  sync -- "$g_home" "$g_home/a"
  flock -u "$g_busy"
  g_detach || g_fail 3 'the supervisor could not be detached'
  local g_rounds=1000
  while ((g_rounds-- > 0)); do
    g_last_of "$g_id"
    [[ $g_phase == begun ]] || exit 0
    sleep 0.02
  done
  # One that comes after all finds an end in the record, and leaves.
  flock -n "$g_busy" || exit 0
  g_record refused 'reason=the supervisor did not start'
  g_fail 3 'the supervisor did not start'
}

# A unit of its own where systemd runs the host: nothing that ends a session ends it. Else a session
# of its own.
g_detach() {
  local g_self=$0 g_name
  local -a g_kept=()
  if [[ -d ${GRIND_SYSTEMD_RUNTIME:-/run/systemd/system} && $EUID == 0 ]] && command -v systemd-run >/dev/null; then
    # A unit does not inherit anything: every variable is named, and systemd-run takes its value.
    for g_name in $(compgen -e); do g_kept+=("--setenv=$g_name"); done
    systemd-run --quiet --collect --no-ask-password --service-type=exec --unit="grind-activate-$g_id" \
      "${g_kept[@]}" -- "$BASH" --noprofile --norc "$g_self" run "$g_home" "$g_id" "$g_host_lock" "$g_origin" </dev/null >/dev/null 2>&1 {g_lock}>&- {g_busy}>&- &&
      return
  fi
  setsid -f "$BASH" --noprofile --norc "$g_self" run "$g_home" "$g_id" "$g_host_lock" "$g_origin" </dev/null >/dev/null 2>&1 {g_lock}>&- {g_busy}>&-
}

g_check_ground() { # → g_why, when this must not be begun
  local g_name
  if [[ $g_kind == commands ]]; then
    if [[ $EUID == 0 && ${SUDO_UID:-0} != 0 ]]; then
      g_why='commands of a repository are never run by a supervisor that sudo started'
    elif ! g_current; then
      g_why='the `current` command fails'
    elif [[ $g_now_runs != "$g_old" ]]; then
      g_why="the host runs $g_now_runs now, and ran $g_old when the plan was made"
    fi
    return
  fi
  for g_name in "$g_old" "$g_new"; do
    g_is_system "$g_name" || return
  done
  if [[ $(g_real "$g_running") != "$g_old" ]]; then
    g_why="the host runs $(g_real "$g_running") now, and ran $g_old when the plan was made"
  elif [[ $(g_real "$g_profile") != "$g_old" && $g_purpose != rollback ]]; then
    g_why="the profile leads to $(g_real "$g_profile") now, and led to $g_old when the plan was made"
  elif [[ $(g_number_of "$g_profile") != "$g_generation" ]]; then
    g_why="the profile is at generation $(g_number_of "$g_profile") now, and was at $g_generation when the plan was made"
  elif [[ $g_target && $(g_real "$g_profile-$g_target-link") != "$g_new" ]]; then
    g_why="generation $g_target is not $g_new any more"
  fi
}

# tell ID SIZE SECONDS: what the record says of an activation, when it has another size than that one;
# waits for that. First whether somebody works, then the size and the boot, then the lines.
g_tell() {
  local g_rounds g_size g_works g_line
  g_enter "$1"
  [[ $2 =~ ^[0-9]{1,12}$ && $3 =~ ^[0-9]{1,4}$ ]] || g_fail 2 'tell ID SIZE SECONDS'
  g_rounds=$(($3 * 20))
  while :; do
    # Asked in this order: what ends meanwhile is then seen in the record.
    g_works=idle
    g_is_working && g_works=working
    g_size=$(stat -c %s -- "$g_home/record")
    [[ $g_size == "$2" && $g_works == working ]] && ((g_rounds-- > 0)) || break
    sleep 0.05
  done
  g_boot_id
  printf '%s\n%s\n%s\n' "$g_works" "$g_size" "$g_boot"
  while IFS= read -r g_line; do
    [[ $g_line == "$g_id$g_tab"* ]] && printf '%s\n' "$g_line"
  done <"$g_home/record"
  return 0
}

# dry SYSTEM: what switching to it would do. Needs root, as switching does.
g_dry() {
  g_is_system "$1" || g_fail 3 "$g_why"
  "$1/bin/switch-to-configuration" dry-activate </dev/null
}

g_is_system() { # PATH: is it a system in the Nix store? else g_why
  local g_store=${NIX_STORE_DIR:-/nix/store}
  g_why=
  if [[ ${1%/*} != "$g_store" || ${1##*/} == .* ]]; then
    g_why="not a path of the Nix store: $1"
  elif [[ ! -x $1/bin/switch-to-configuration ]]; then
    g_why="not a system: $1"
  elif ! nix-store --check-validity "$1" 2>>"$g_log"; then
    g_why="the Nix store does not have $1"
  fi
  [[ ! $g_why ]]
}

g_is_working() { # whether a supervisor holds the lock
  local g_probe
  [[ -e $g_home/busy ]] || return 1
  exec {g_probe}<"$g_home/busy" || return 1
  if flock -n "$g_probe"; then
    exec {g_probe}<&-
    return 1
  fi
  exec {g_probe}<&-
}

# ack ID, red ID REASON: a word for the supervisor that waits. It decides; the record tells.
g_word() {
  g_enter "$2"
  g_last_of "$g_id"
  ! g_is_final "$g_phase" || return 0
  (set -C && printf '%s\n' "${3//[[:cntrl:]]/ }" >"$g_folder/$1") 2>/dev/null || [[ -e $g_folder/$1 ]] ||
    g_fail 3 'the state folder cannot be written to (is the disk full?)'
  g_is_working || return 0
  printf '\n' 1<>"$g_folder/wake"
}

# repair ID LOCK FROM: bring to an end what a killed supervisor or a reboot left open.
g_repair() {
  local g_then
  g_enter "$1"
  exec {g_busy}>>"$g_home/busy"
  flock -n "$g_busy" || g_fail 75 'the activation is still under way'
  g_last_of "$g_id" || g_fail 3 "the record does not know $g_id"
  g_is_final "$g_phase" && return 0
  g_then=$g_phase
  g_take_host_lock || g_fail 3 "$g_why"
  g_phase=$g_then
  g_boot_id
  if [[ $(g_begun_boot) == "$g_boot" ]]; then
    g_recover "the supervisor was killed (in the phase $g_then)"
  else
    rm -f -- "$g_folder/doing"
    g_recover "the host was rebooted (in the phase $g_then)"
  fi
}

g_begun_boot() { # the boot in which the activation was begun
  local g_line
  while IFS= read -r g_line; do
    [[ $g_line == "$g_id$g_tab"*"$g_tab"begun"$g_tab"*"$g_tab;" ]] && g_line=${g_line#*"$g_tab"boot=} && printf %s "${g_line%%"$g_tab"*}" && return
  done <"$g_home/record"
}

# history PROFILE RUNNING BOOTED: what the host is, and what was done to it. Lines `key<tab>value`.
g_history() {
  local g_link
  g_boot_id
  printf 'boot\t%s\nuser\t%s\nhome\t%s\n' "$g_boot" "$EUID" "$g_home"
  g_is_working && printf 'working\t1\n'
  if [[ ${1-} ]]; then
    printf 'profile\t%s\nnumber\t%s\nrunning\t%s\nbooted\t%s\n' "$(g_real "$1")" "$(g_number_of "$1")" "$(g_real "$2")" "$(g_real "$3")"
    g_generations "$1"
  fi
  [[ ! -f $g_home/record ]] || while IFS= read -r g_link; do printf 'record\t%s\n' "$g_link"; done <"$g_home/record"
}

g_generations() { # PROFILE: a line for each of its generations. A host may have hundreds: two processes for all
  local g_link g_at
  local -a g_links=() g_times=() g_paths=()
  for g_link in "$1"-*-link; do
    [[ $g_link =~ -[0-9]+-link$ && -L $g_link ]] && g_links+=("$g_link")
  done
  ((${#g_links[@]})) || return 0
  mapfile -t g_times < <(stat -c %Y -- "${g_links[@]}" 2>/dev/null)
  mapfile -t g_paths < <(readlink -m -- "${g_links[@]}" 2>/dev/null)
  # One that is collected meanwhile has no line, and the others would be taken for their neighbours.
  ((${#g_times[@]} == ${#g_links[@]} && ${#g_paths[@]} == ${#g_links[@]})) || {
    g_times=() g_paths=()
    for g_link in "${g_links[@]}"; do
      g_times+=("$(stat -c %Y -- "$g_link" 2>/dev/null)") g_paths+=("$(g_real "$g_link")")
    done
  }
  for g_at in "${!g_links[@]}"; do
    [[ -e ${g_links[g_at]} ]] || g_paths[g_at]=
    [[ ${g_links[g_at]} =~ -([0-9]+)-link$ ]]
    printf 'generation\t%s\t%s\t%s\n' "${BASH_REMATCH[1]}" "${g_times[g_at]}" "${g_paths[g_at]}"
  done
}

g_main "$@"
exit
