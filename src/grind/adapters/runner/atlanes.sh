# What a session does with the lanes of its host: open, cancel, end, collect.

g_open_lane() { # RUN KEY OUTER MEMORY ROOT; the spec is in g_files.i → resumed, begun, track, detached, facts
  local g_run=$g_state/runs/${g_a[0]} g_resumed=0 g_begun=0 g_detached=- g_manager=
  local -a g_facts g_s
  local g_f
  for g_f in mkfifo tail ln setsid; do
    type -P "$g_f" >/dev/null && continue
    printf 'the host has no %s on the PATH of a non-login shell (coreutils and util-linux have it)' "$g_f" >&2
    return 1
  done
  g_lane=$g_run/${g_a[1]}
  g_find_manager
  if [[ -d $g_lane ]]; then g_resumed=1; else g_make_lane || return; fi
  g_boot_id
  if [[ $g_detached == - ]] && ! g_read_claim "$g_lane"; then g_start_runner || return; fi
  g_await_facts || return
  [[ -e $g_lane/env ]] && g_begun=1
  mapfile -d '' -t -n 2 g_s <"$g_lane/spec"
  g_s=("$g_resumed" "$g_begun" "${g_s[1]}" "$g_detached" "${g_facts[@]}")
  # An answer with NULs would have to be encoded, by two processes.
  if [[ ${g_s[*]} == *$'\x1f'* ]]; then printf '%s\0' "${g_s[@]}"; else printf '%s\x1f' "${g_s[@]}"; fi
}

# What every lane's folder begins as. One is made ahead, while nobody waits for it: it is ready when `lost` is
# written, in which are blanks whose blocks exist, so that a reason can be written on a full disk.
g_make_ground() { # FOLDER
  mkdir -p -- "$1" "$1/queue" "$1/s" "$1/f" "$1/events" && mkfifo -- "$1/wake" "$1/life" "$1/idle" "$1/still" "$1/out" "$1/go0" "$1/go1" &&
    : >"$1/records" && : >"$1/log" && : >"$1/runner.log" && printf '%512s' '' >"$1/lost"
}

g_make_lane() { # aside, and renamed in: of two clients one makes it
  local g_aside=$g_ready
  local -a g_s=()
  mapfile -d '' -t g_s <"$g_files.i"
  if ((${#g_s[@]} != 12)); then
    printf 'what the lane shall be has not come whole: No space left on device' >&2
    return 1
  fi
  if [[ -z $g_aside || ! -s $g_aside/lost ]]; then
    g_aside=$g_state/sessions/lane.$BASHPID-$$
    g_make_ground "$g_aside" || { rm -rf -- "$g_aside"; return 1; }
  fi
  printf '%s\0' "${g_s[@]}" >"$g_aside/spec" || { rm -rf -- "$g_aside"; return 1; }
  # A session's runner can be read while its folder is brought to its place.
  if [[ -z $g_manager ]]; then g_start_waiting "$g_aside"; fi
  if { [[ -d $g_run/.artifacts && -d $g_state/cache ]] || mkdir -p -- "$g_run/.artifacts" "$g_state/cache"; } &&
    mv -T -- "$g_aside" "$g_lane" 2>/dev/null; then
    if [[ $g_detached == session ]]; then printf 'go\n' 1<>"$g_lane/wake"; fi
    return
  fi
  # That one is not needed.
  printf 'leave\n' 1<>"$g_aside/wake"
  g_detached=-
  rm -rf -- "$g_aside"
  g_resumed=1
  [[ -d $g_lane ]]
}

g_make_spare() { # for the next lane of this session
  g_make_ground "$g_spare" 2>/dev/null
  # The session may have ended meanwhile: it says so first and tidies up then, and we look afterwards.
  { [[ -e $g_session/open ]] && kill -0 "$$" 2>/dev/null; } || rm -rf -- "$g_spare"
}

g_next_spare() { # → g_spare: where that is
  g_spare=$g_state/sessions/lane.n$((++g_spares))-$$
  printf '%s\n' "$g_spares" 2>/dev/null >"$g_session/spares"
}

g_make_later() { # when the lane that was opened has got going, unless others were opened since
  local g_last=
  exec {g_wake}<>"$g_state/runs/${g_a[0]}/${g_a[1]}/idle" && g_nap 0.1
  { IFS= read -r g_last <"$g_session/spares"; } 2>/dev/null
  if [[ $g_last == "$g_spares" ]]; then g_make_spare; fi
}

g_await_facts() { # → g_facts, when the runner has taken its folders
  local g_until
  exec {g_wake}<>"$g_lane/idle"
  g_uptime
  g_until=$((g_up + 6000))
  while :; do
    g_facts=()
    { mapfile -d '' -t g_facts <"$g_lane/lane"; } 2>/dev/null
    ((${#g_facts[@]} == 7)) && return
    g_why_lost "$g_lane"
    g_uptime
    ((g_up < g_until)) || g_reason='it does not answer'
    [[ $g_reason ]] && break
    # The runner that has them ends it.
    g_nap 0.02
  done
  printf 'the runner of %s did not start: %s' "${g_a[1]}" "$g_reason" >&2
  return 1
}

g_is_noted() { # LANE: is it cancelled, over, or lost?
  local g_line
  while IFS= read -r g_line; do
    [[ $g_line == @(cancel|done)\ *' ;' ]] && return
  done <"$1/records"
  g_why_lost "$1"
  [[ $g_reason ]]
}

g_ask_to_cancel() { # LANE: returns when the runner has taken note
  g_lane=${g_a[0]}
  g_boot_id
  exec {g_wake}<>"$g_lane/idle"
  g_write_new "$g_lane/cancel" ''
  until g_is_noted "$g_lane"; do
    if [[ $g_claim_pid && $g_claim_pid != 0 && -e $g_lane/lane ]]; then
      kill -TERM "$g_claim_pid" 2>/dev/null
      g_wake "$g_lane/wake"
    fi
    g_nap 0.1
  done
}

g_end_lanes() { # LANE... , or with `abandon` a RUN: end every process of them
  local -a g_lanes=("${g_a[@]}")
  [[ $g_kind == abandon ]] && g_lanes=("$g_state/runs/${g_a[0]}"/*)
  ((${#g_lanes[@]})) || return 0
  export PATH
  "$BASH" --noprofile --norc "$g_runner" kill "${g_lanes[@]}"
}

g_collect_old() { # AGE KEEP: runs, checkouts, and what sessions that died have left
  local g_f
  for g_f in "$g_state"/sessions/* /dev/shm/grind-"$EUID"-*; do
    [[ -O $g_f ]] && ! g_stat "${g_f##*[/-]}" && rm -rf -- "$g_f"
  done
  [[ -d $g_state/runs ]] || return 0
  [[ -p $g_state/idle ]] || mkfifo -- "$g_state/idle" 2>/dev/null
  export PATH
  "$BASH" --noprofile --norc "$g_runner" collect "$g_state" "${g_a[@]}"
}

g_say_identity() { # the id that `grind.adapters.identity` gives this machine, and the other facts
  local g_f g_value g_machine g_system g_id=
  for g_f in /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /etc/ssh/ssh_host_rsa_key.pub; do
    g_value=
    { read -r g_value <"$g_f"; } 2>/dev/null
    [[ $g_value && $g_value != uninitialized ]] && break
    g_value=
  done
  if [[ $g_value ]]; then
    g_id=$(printf 'grind host identity 1\n%s' "$g_value" | sha256sum)
  else
    mkdir -p -- "$g_state/identity"
    [[ -e $g_state/identity/id ]] ||
      (set -C && head -c 16 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$g_state/identity/id")
    read -r g_id <"$g_state/identity/id"
  fi
  g_value=
  [[ -r /etc/os-release ]] && g_value=$(cat /etc/os-release)
  g_machine=$(uname -m)
  g_system=$(readlink /run/current-system)
  printf '%s\0' "${g_id:0:32}" "$g_value" "$g_machine" "$g_system" "$g_boot"
}
