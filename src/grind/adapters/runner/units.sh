# In what a runner runs: a unit of systemd's where one may be started, else a session of its own.
#
# `memory` is what all jobs may use together. So the limit is not the unit's: it is that of the slice in
# which the units of all runs lie that were given the same limit, whoever's they are. Two limits are two slices,
# so that nobody changes a limit under which another one's jobs run.
# Sources: systemd-run(1), systemd.slice(5), systemd.resource-control(5), `set-property` in systemctl(1).

g_find_manager() { # → g_manager: the service manager that may start a unit; empty for none
  g_manager=
  [[ -d ${g_a[4]}/run/systemd/system ]] && type -P systemd-run >/dev/null || return 0
  if ((EUID == 0)); then
    g_manager=system
  elif [[ -e ${g_a[4]}/var/lib/systemd/linger/$(id -un) ]]; then
    g_manager=user
  fi
}

# Detached, so that it outlives the session. When two are started for one lane, one of them leaves.
g_start_runner() { # → g_detached: in what
  local -a g_command=("$BASH" --noprofile --norc "$g_runner" run "$g_lane")
  export PATH
  [[ ${g_a[2]} ]] && export "RUNNER_TRACKING_ID=${g_a[2]}"
  if [[ $g_manager ]]; then
    [[ $g_manager == system ]] || export "XDG_RUNTIME_DIR=${g_a[4]}/run/user/$EUID"
    if g_start_unit "--$g_manager"; then g_detached=$g_manager; fi
  fi 2>>"$g_lane/runner.log"
  if [[ $g_detached == - ]]; then
    setsid -f "${g_command[@]}" </dev/null >>"$g_lane/runner.log" 2>&1 || {
      printf 'the runner could not be started: %s' 'bash and setsid must be on the PATH' >&2
      return 1
    }
    g_detached=session
  fi
  export -n PATH
}

g_start_waiting() { # FOLDER: a runner that is told at its input whether the folder has become its lane
  local -a g_command=("$BASH" --noprofile --norc "$g_runner" run "$g_lane" told)
  export PATH
  [[ ${g_a[2]} ]] && export "RUNNER_TRACKING_ID=${g_a[2]}"
  if setsid -f "${g_command[@]}" <>"$1/wake" >>"$1/runner.log" 2>&1; then g_detached=session; fi
  export -n PATH
}

g_start_unit() { # MANAGER: g_command
  local g_slice
  local -a g_unit=("$1" --quiet --collect "--unit=grind-${g_a[0]}-${g_a[1]}-$$-$BASHPID") g_held
  g_unit+=(--property=TasksMax=infinity "--setenv=PATH=$PATH")
  [[ ${g_a[2]} ]] && g_unit+=("--setenv=RUNNER_TRACKING_ID=${g_a[2]}")
  if [[ ${g_a[3]} ]]; then
    # With no slice to be had, each by itself: less than what was asked for, as the docs of hosts say.
    if g_limit_slice "$1"; then g_held=("--slice=$g_slice"); else g_held=("--property=MemoryMax=${g_a[3]}" --property=MemorySwapMax=0); fi
    # What is killed for want of memory is a process of a step. By default systemd would end the whole unit
    # for it, a neighbour's too. A systemd before 243 does not know this property, and refuses.
    systemd-run "${g_unit[@]}" "${g_held[@]}" --property=OOMPolicy=continue -- "${g_command[@]}" && return
  fi
  systemd-run "${g_unit[@]}" "${g_held[@]}" -- "${g_command[@]}"
}

# A slice needs no file, and one that is not active yet starts with what was set. It is set each time:
# what is set at runtime is gone after a boot.
g_limit_slice() { # MANAGER → g_slice
  g_slice=grind-${g_a[3]/'%'/percent}.slice
  type -P systemctl >/dev/null &&
    systemctl "$1" --quiet --no-ask-password set-property --runtime "$g_slice" "MemoryMax=${g_a[3]}" "MemorySwapMax=0"
}
