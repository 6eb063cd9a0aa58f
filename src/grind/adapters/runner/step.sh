# One step: its environment, its process group, its end.

# Names that bash would not take, or would take for itself: these travel through env(1) instead.
g_is_special() { # NAME
  case $1 in
    '' | [0-9]* | *[!A-Za-z0-9_]* | g_* | _) return 0 ;;
    BASH | BASHOPTS | BASHPID | BASH_* | CHILD_MAX | COMP_* | COMPREPLY | COPROC | DIRSTACK | EPOCH* | EUID | EXECIGNORE) return 0 ;;
    FUNCNAME | FUNCNEST | GLOBIGNORE | GROUPS | HIST* | IFS | IGNOREEOF | LINENO | MAPFILE | OPT*) return 0 ;;
    PIPESTATUS | POSIXLY_CORRECT | PPID | RANDOM | READLINE_* | REPLY | SECONDS | SHELLOPTS | SHLVL) return 0 ;;
    SRANDOM | TMOUT | UID | OLDPWD | PWD) return 0 ;;
  esac
  return 1
}

g_sort_names() { # NAME=VALUE...: appended to g_plain (exported) or g_special (through env)
  local g_pair
  for g_pair; do
    if g_is_special "${g_pair%%=*}"; then g_special+=("$g_pair"); else g_plain+=("$g_pair"); fi
  done
}

g_base_env() { # → g_base_plain, g_base_special: begin's environment and what steps wrote since
  local g_n g_plain=() g_special=()
  g_sort_names "${g_begin[@]}"
  for g_n in "${!g_written[@]}"; do g_sort_names "$g_n=${g_written[$g_n]}"; done
  g_base_plain=("${g_plain[@]}")
  g_base_special=("${g_special[@]}")
  g_env_changed=
}

g_find_path() { # → g_value: PATH for this step, with what GITHUB_PATH put before it
  local g_pair g_found_path= IFS=:
  for g_pair in "${g_base_plain[@]}" "${g_step_env[@]}"; do
    [[ $g_pair == PATH=* ]] && g_found_path=${g_pair#PATH=}
  done
  g_value="${g_paths[*]}${g_found_path:+:$g_found_path}"
}

g_step_environment() { # → g_plain, on top of g_base_plain; g_argv, led by env when a name is special
  local g_special g_value
  [[ $g_env_changed ]] && g_base_env
  g_plain=() g_special=("${g_base_special[@]}")
  ((${#g_step_env[@]})) && g_sort_names "${g_step_env[@]}"
  if ((${#g_paths[@]})); then
    g_find_path
    g_plain+=("PATH=$g_value")
  fi
  ((${#g_special[@]})) || return 0
  # env would take a program whose name holds `=` for a variable.
  [[ ${g_argv[0]} == *=* ]] && g_argv=("$BASH" -c 'exec "$@"' bash "${g_argv[@]}")
  g_argv=("$g_env_program" -- "${g_special[@]}" "${g_argv[@]}")
}

# Making a file costs more than all other bookkeeping of a step. A step that left its command files
# empty, and has no process in its group that could still write to them, leaves them fresh: the next
# step gets the same ones.
g_fresh_files() { # → g_files, g_own
  [[ $g_files ]] && return
  g_files=$g_lane/f/$g_index g_set=$g_index
  : >"$g_files.env" && : >"$g_files.output" && : >"$g_files.path" && : >"$g_files.state" && : >"$g_files.summary" || return
  g_own=("GITHUB_ENV=$g_files.env" "GITHUB_OUTPUT=$g_files.output" "GITHUB_PATH=$g_files.path"
    "GITHUB_STATE=$g_files.state" "GITHUB_STEP_SUMMARY=$g_files.summary" "RUNNER_TRACKING_ID=$g_tracking")
}

g_take_files() { # GROUP → g_wrote: the number of the step's command files, or - when it wrote none
  g_wrote=-
  if [[ -s $g_files.env || -s $g_files.output || -s $g_files.path || -s $g_files.state || -s $g_files.summary ]]; then
    g_wrote=$g_set
  elif [[ -f $g_files.env && -f $g_files.output && -f $g_files.path && -f $g_files.state && -f $g_files.summary ]]; then
    kill -0 -- "-$1" 2>/dev/null || return
  fi
  g_files=
}

# The output of all steps goes through one pipe to one process that appends it to the log. A file as
# a step's output would be emptied by a mere `echo … >/dev/stderr`. What the pipe holds when a step
# ends comes before the mark that is written behind it; what a process in the background says later
# is found in the steps that run then.
g_open_log() {
  cat <"$g_lane/out" >>"$g_lane/log" {g_rec}>&- {g_wake}>&- {g_life}>&- &
  g_log_pid=$!
  exec {g_out}>"$g_lane/out"
}

g_mark_log() { # the end of the step's output; fails when the log cannot be written
  printf '\0%s %s\0' "$g_track" "$g_index" >&"$g_out"
}

g_close_log() { # when all that could write is gone, the log is complete
  local g_round
  exec {g_out}>&-
  for ((g_round = 0; g_round < 250; g_round++)); do
    kill -0 "$g_log_pid" 2>/dev/null || break
    g_nap 0.01
  done
  # A process of another user may hold the pipe for ever.
  kill -KILL "$g_log_pid" 2>/dev/null && return
  wait "$g_log_pid"
}

g_launch() { # the fork of a step; it becomes the program
  (
    umask 022
    if [[ $g_kind == checkout ]]; then
      # It may move the workspace away and another one in.
      cd / && g_checkout </dev/null >&"$g_out" 2>&1 {g_rec}>&- {g_life}>&- {g_q}<&- {g_out}>&-
      exit
    fi
    if ! cd -- "$g_cwd"; then
      printf 'grind: the working directory does not exist: %s\n' "$g_cwd" >&"$g_out"
      exit 1
    fi
    set -- "${g_argv[@]}"
    # All arrays are expanded before the first name is set, so no name can disturb another. What bash
    # has to say about them (an unknown locale) goes to the runner's own log.
    export -- "${g_base_plain[@]}" "${g_plain[@]}" "${g_own[@]}"
    exec -- "$@" </dev/null >&"$g_out" 2>&1 {g_rec}>&- {g_wake}>&- {g_life}>&- {g_q}<&- {g_out}>&-
  ) &
  g_pid=$!
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

g_await() { # → g_rc
  while :; do
    [[ $g_signalled ]] && g_attend
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

g_run_step() {
  local g_started g_seen g_leader
  g_reason= g_step_end=
  [[ -z $g_a_bad ]] && g_fresh_files ||
    g_lost 'the files of a step could not be written (is the disk full?)'
  g_step_environment
  if [[ $g_timeout ]]; then
    g_uptime
    g_step_end=$((g_up + g_timeout))
    printf 'step %s\n' "$g_step_end" >&"$g_life"
  fi
  g_time
  g_started=$g_now
  g_record start "$g_index" "$g_started"
  g_launch
  g_read_task 2>/dev/null
  g_await
  g_leader=$g_pid g_pid=
  g_time
  [[ $g_timeout ]] && printf 'step \n' >&"$g_life"
  g_mark_log || g_lost 'the log could not be written (is the disk full?)'
  g_seen=$g_files
  g_take_files "$g_leader"
  if [[ $g_wrote != - ]] && ! g_apply_files "$g_seen" && [[ -z $g_reason ]]; then
    g_reason=file-command
    ((g_rc)) || g_rc=1
  fi
  # A step that was ended has failed, whatever it made of the signal.
  [[ $g_reason ]] && ((g_rc == 0)) && g_rc=1
  g_record end "$g_index" "$g_rc" "${g_reason:-exit}" "$g_started" "$g_now" "$g_wrote"
  if ((g_rc)) && [[ $g_status == success && $g_continue != 1 ]]; then g_status=failure; fi
}
