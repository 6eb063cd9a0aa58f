# Doing it: setting the profile, switching, going back. Two kinds of host, one protocol.

# Runs something that changes the host, with its number on disk, so that whoever comes after a killed
# supervisor can wait for it: two switches at once are worse than one that was bad.
g_do() { # COMMAND...
  local g_pid g_rc
  g_log_before=$(stat -c %s -- "$g_log" 2>/dev/null) || g_log_before=0
  "$@" >>"$g_log" 2>&1 </dev/null {g_lock}>&- {g_busy}>&- &
  g_pid=$!
  printf '%s %s\n' "$g_pid" "$(g_start_of "$g_pid")" >"$g_folder/doing" 2>/dev/null
  wait "$g_pid"
  g_rc=$?
  rm -f -- "$g_folder/doing"
  return "$g_rc"
}

g_start_of() { # PID → when it started, in the kernel's ticks; nothing when it is gone
  local g_line=
  { IFS= read -r g_line <"/proc/$1/stat"; } 2>/dev/null
  # The name of a program may hold blanks and parentheses: what follows the last one counts.
  # shellcheck disable=SC2086 # words are wanted
  set -- ${g_line##*) }
  [[ ${1-} != [ZX] ]] && printf %s "${20-}"
}

g_wait_for_orphan() { # a switch that its supervisor left behind: let it end, or end it
  local g_pid g_start g_rounds=$((g_limit * 5))
  [[ -f $g_folder/doing ]] || return 0
  read -r g_pid g_start <"$g_folder/doing" || return 0
  while ((g_rounds-- > 0)) && [[ $g_start && $(g_start_of "$g_pid") == "$g_start" ]]; do sleep 0.2; done
  [[ $(g_start_of "$g_pid") == "$g_start" && $g_start ]] && kill -KILL "$g_pid" 2>/dev/null
  rm -f -- "$g_folder/doing"
}

g_to_new() { # switch to the new system → g_rc, g_why (empty when it stands)
  g_rc=0 g_why= g_to=$g_new g_from=$g_old
  if [[ $g_kind == commands ]]; then
    if [[ $g_purpose == rollback ]]; then g_do g_script back "$g_back"; else g_do g_script switch "$g_switch"; fi
    g_rc=$?
    ((g_rc == 0)) || g_why="the switch command exited $g_rc"
  else
    if [[ $g_target ]]; then
      g_do nix-env -p "$g_profile" --switch-generation "$g_target"
    else
      g_do nix-env -p "$g_profile" --set "$g_new"
    fi || {
      g_rc=-1 g_why='the profile could not be set'
      return
    }
    g_record set "generation=$(g_number_of "$g_profile")"
    g_do timeout -k 30 "$g_limit" "$g_new/bin/switch-to-configuration" switch
    g_rc=$?
    g_judge
  fi
  [[ $g_why ]] && return
  g_current || g_now_runs=
  [[ $g_now_runs == "$g_new" ]] || g_why="the switch said that all is well, but the host runs ${g_now_runs:-nothing that can be told}"
}

# The exit codes of switch-to-configuration. After 1 and 100 the system that ran still runs; 2 and 4
# come after the switch. 4 may speak of units that had failed before: only when all that it names, and all
# that have failed now, are of those.
g_judge() { # of g_rc → g_why
  local g_known=1
  g_failed_units || g_known= g_failed=()
  g_named_units
  g_newly_failed
  case $g_rc in
    0) ;;
    1) g_why='switch-to-configuration refused (1)' ;;
    2) g_why='the activation script failed (2)' ;;
    4)
      if ((${#g_new_failures[@]})); then
        g_why="units failed (4): ${g_new_failures[*]}"
      elif [[ ! $g_known ]] || ((${#g_named[@]} == 0)); then
        g_why='units failed (4), and it cannot be known which'
      fi
      ;;
    100) g_why='this system cannot be switched to without a reboot (100)' ;;
    124 | 137) g_why="switch-to-configuration did not end within $g_limit seconds" ;;
    *) g_why="switch-to-configuration exited $g_rc" ;;
  esac
}

g_named_units() { # → g_named: units that the last switch said have failed; systemd may be restarting them
  local g_line g_unit
  g_named=()
  while IFS= read -r g_line; do
    [[ $g_line == *'the following units failed: '* ]] || continue
    IFS=' ,' read -r -a g_unit <<<"${g_line##*the following units failed: }"
    g_named+=("${g_unit[@]}")
  done < <(tail -c +"$((g_log_before + 1))" -- "$g_log" 2>/dev/null)
}

g_to_old() { # go back to the recorded path and generation → g_rc, g_why (empty when it is done)
  g_why= g_rc=0 g_to=$g_old g_from=$g_new
  if [[ $g_kind == commands ]]; then
    g_do g_script back "$g_back"
    g_rc=$?
    ((g_rc == 0)) || g_why="the back command exited $g_rc"
  else
    g_profile_to_old
    [[ $g_why ]] && return
    if [[ $g_switch_rc == 1 || $g_switch_rc == 100 || $g_switch_rc == -1 ]] && [[ $(g_real "$g_running") == "$g_old" ]]; then
      # Nothing was switched; what boots next may have been.
      g_do timeout -k 30 "$g_limit" "$g_old/bin/switch-to-configuration" boot || g_record warning \
        "text=what boots next could not be written again; see the log"
    else
      g_do timeout -k 30 "$g_limit" "$g_old/bin/switch-to-configuration" switch
      g_rc=$?
      g_judge
    fi
  fi
  [[ $g_why ]] && return
  g_current || g_now_runs=
  [[ $g_now_runs == "$g_old" ]] || g_why="the host runs ${g_now_runs:-nothing that can be told} afterwards"
}

g_profile_to_old() {
  if [[ $g_generation && $(g_real "$g_profile-$g_generation-link") == "$g_old" ]]; then
    g_do nix-env -p "$g_profile" --switch-generation "$g_generation"
  else
    g_do nix-env -p "$g_profile" --set "$g_old"
  fi || g_why='the profile could not be set back'
  [[ $g_why || $(g_real "$g_profile") == "$g_old" ]] || g_why='the profile does not lead to the recorded system'
}
