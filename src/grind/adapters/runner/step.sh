# One step: its environment, its process group, its end.

g_base_env() { # → g_base_plain, g_base_special: begin's environment and what steps wrote since
  local g_n g_plain=() g_special=()
  g_sort_names "${g_begin[@]}"
  for g_n in "${!g_written[@]}"; do g_sort_names "$g_n=${g_written[$g_n]}"; done
  g_put_paths "${g_plain[@]}"
  g_base_plain=()
  for g_n in "${g_plain[@]}"; do
    case $g_n in
      $g_own_names) ;;
      # No program that the runner starts looks at these: set once, and not in the fork of every step.
      $g_harmless) export -- "$g_n" ;;
      *) g_base_plain+=("$g_n") ;;
    esac
  done
  g_base_special=("${g_special[@]}")
  g_env_changed=
  g_find_bash
}

g_put_paths() { # NAME=VALUE...: what GITHUB_PATH put before the last PATH of these, to g_plain
  local g_pair g_found_path= IFS=:
  ((${#g_paths[@]})) || return 0
  for g_pair; do
    [[ $g_pair == PATH=* ]] && g_found_path=${g_pair#PATH=}
  done
  g_plain+=("PATH=${g_paths[*]}${g_found_path:+:$g_found_path}")
}

# For a step with names that are new or special, or with a PATH of its own.
g_step_environment() { # → g_plain, on top of g_base_plain; g_argv, led by env when a name is special
  local g_pair g_special=("${g_base_special[@]}")
  g_plain=()
  ((${#g_a_env[@]})) && g_sort_names "${g_a_env[@]}"
  [[ " ${g_plain[*]%%=*} " != *' PATH '* ]] || g_put_paths "${g_plain[@]}"
  for g_pair in "${!g_plain[@]}"; do
    [[ ${g_plain[$g_pair]} != $g_own_names ]] || unset -v "g_plain[$g_pair]"
  done
  ((${#g_special[@]})) || return 0
  # env would take a program whose name holds `=` for a variable.
  [[ ${g_argv[0]} == *=* ]] && g_argv=("$BASH" -c 'exec "$@"' bash "${g_argv[@]}")
  g_argv=("$g_env_program" -- "${g_special[@]}" "${g_argv[@]}")
}

# Making a file costs more than all other bookkeeping of a step. A step that left its command files
# empty, and has no process in its group that could still write to them, leaves them fresh: the next
# step gets the same ones.
g_fresh_files() { # → g_files
  g_files=$g_lane/f/$g_index g_set=$g_index
  : >"$g_files.env" && : >"$g_files.output" && : >"$g_files.path" && : >"$g_files.state" && : >"$g_files.summary" || return
  export -- "GITHUB_ENV=$g_files.env" "GITHUB_OUTPUT=$g_files.output" "GITHUB_PATH=$g_files.path" \
    "GITHUB_STATE=$g_files.state" "GITHUB_STEP_SUMMARY=$g_files.summary" "RUNNER_TRACKING_ID=$g_tracking"
}

# The output of all steps goes through one pipe to one process that appends it to the log. A file as
# a step's output would be emptied by a mere `echo … >/dev/stderr`. What the pipe holds when a step
# ends comes before the mark that is written behind it; what a process in the background says later
# is found in the steps that run then.
g_open_log() {
  cat <"$g_lane/out" >>"$g_lane/log" {g_wake}>&- {g_life}>&- &
  g_log_pid=$!
  exec {g_out}>"$g_lane/out" {g_go0}<>"$g_lane/go0" {g_go1}<>"$g_lane/go1"
  g_go=("$g_go0" "$g_go1")
  g_write_early || g_lost 'the files of the lane could not be written (is the disk full?)'
}

g_until_gone() { # CENTISECONDS: wait for the leader of the step
  local g_end
  g_uptime
  g_end=$((g_up + $1))
  while kill -0 "$g_pid" 2>/dev/null; do
    g_uptime
    ((g_up >= g_end)) && return 1
    g_nap 0.02
  done
}

g_stop_step() { # REASON: INT, then TERM, then KILL, for the whole group
  [[ $g_reason ]] && return
  g_reason=$1
  kill -INT -- "-$g_pid" 2>/dev/null
  if ! g_until_gone "$g_grace_int"; then
    kill -TERM -- "-$g_pid" 2>/dev/null
    # A stopped process takes note of nothing but KILL before it is continued.
    kill -CONT -- "-$g_pid" 2>/dev/null
    g_until_gone "$g_grace_term"
  elif kill -TERM -- "-$g_pid" 2>/dev/null; then
    g_nap 0.1
  fi
  kill -KILL -- "-$g_pid" 2>/dev/null
}

# Cancelling ends the running step unless its condition holds in a cancelled job, as on GitHub.
g_cancel_lane() { # REASON
  g_status=cancelled
  g_uptime
  g_lane_end=$((g_up + g_grace_rest))
  printf 'lane %s\n' "$g_lane_end" >&"$g_life"
  g_record cancel "$1"
  # Whatever their own conditions say: what runs in the background ends with the job.
  g_stop_beside "${!g_beside[@]}"
  [[ $g_pid ]] && ! g_condition "$g_when" && g_stop_step "$1"
}

g_attend() { # look at what a signal may have been about; blocking, so never from a trap
  g_signalled=
  if [[ $g_status != cancelled && (-n $g_asked || -e $g_lane/cancel) ]]; then g_cancel_lane cancelled; fi
  [[ $g_lane_end$g_step_end ]] || return 0
  g_uptime
  if [[ $g_pid && $g_step_end ]] && ((g_up >= g_step_end)); then g_stop_step timeout; fi
  if [[ $g_lane_end ]] && ((g_up >= g_lane_end)); then
    if [[ $g_status != cancelled ]]; then
      g_cancel_lane timeout
    else
      # The time for steps that run in spite of it is over too.
      g_over=1 g_lane_end=
      printf 'lane \n' >&"$g_life"
      [[ $g_pid ]] && g_stop_step timeout
    fi
  fi
}

# The trap of a signal ends `wait` by a jump (bash 5.2, trap_handler). When the kernel has just given bash the end of a
# process, and bash has not noted it yet, that is lost: bash would wait for ever for what is gone.
g_is_forgotten() { # PID, after a signal
  local g_running
  if kill -0 "$1" 2>/dev/null; then return 1; fi
  g_running=$(jobs -rp)
  [[ $'\n'$g_running$'\n' == *$'\n'"$1"$'\n'* ]]
}

g_await() { # → g_rc
  while :; do
    if [[ $g_signalled ]]; then
      g_attend
      if g_is_forgotten "$g_pid"; then
        # Nobody can say any more with what it has ended. Where we have ended it, that does not matter.
        [[ $g_reason ]] || printf 'grind: a signal to the runner has hidden with which exit code this step ended; run the job again\n' >&"$g_out"
        g_rc=1
        return
      fi
    fi
    if ((BASH_VERSINFO[0] >= 5)); then
      wait -f "$g_pid"
      g_rc=$?
      # A trap ends wait early; it is asked again.
      [[ $g_signalled ]] || return 0
    else
      wait "$g_pid"
      g_rc=$?
      # Here a stopped step ends it too.
      [[ $g_signalled ]] || kill -0 "$g_pid" 2>/dev/null || return 0
    fi
  done
}

g_condition() { # NAME
  case $1,$g_status in
    always,* | success,success | failure,failure | cancelled,cancelled | not-cancelled,success | not-cancelled,failure) return 0 ;;
  esac
  return 1
}

