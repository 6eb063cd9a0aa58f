# A batch of the queue, step by step.
#
# All that a usual step needs is in this one loop: bash copies the body of a function at every call,
# and what the runner has touched in memory is paid for again at the fork.

g_run_batch() {
  local g_head g_q g_left g_path g_started
  local -a g_a g_a_argv g_a_env g_a_more
  exec {g_q}<"$g_batch"
  mapfile -d '' -t -n 3 -u "$g_q" g_head
  [[ ${g_head[0]} == grind-batch/1 ]] || g_lost 'a batch of the queue is damaged'
  g_left=${g_head[2]}
  while [[ $g_left != 0 || $g_pid ]]; do
    # The next task is read, and its script written, while a step runs: that is waiting time.
    g_a=()
    if ((g_left)); then
      ((g_left--))
      mapfile -d '' -t -n 11 -u "$g_q" g_a
      ((${#g_a[@]} == 11)) || g_lost 'a batch of the queue is damaged'
      g_a_argv=() g_a_env=() g_a_more=()
      ((g_a[8])) && mapfile -d '' -t -n "${g_a[8]}" -u "$g_q" g_a_argv
      ((g_a[9])) && mapfile -d '' -t -n "${g_a[9]}" -u "$g_q" g_a_env
      ((g_a[10])) && mapfile -d '' -t -n "${g_a[10]}" -u "$g_q" g_a_more
      ((${#g_a_argv[@]} == g_a[8] && ${#g_a_env[@]} == g_a[9] && ${#g_a_more[@]} == g_a[10])) ||
        g_lost 'a batch of the queue is damaged'
      # Two clients may have queued the same steps in different portions: each runs once.
      if ((g_a[0] <= g_last)); then g_a=(); fi
      g_next_script=
      if [[ ${g_a[0]-} && ${g_a_argv[*]} == *'{0}'* ]]; then
        g_path=$g_lane/s/${g_a[0]}${g_a[5]} g_bad=
        # Making a file is what costs most here: one that nobody will read any more is written anew.
        # A script that speaks of itself, or leaves its process group, may be read later.
        if [[ ${g_a[5]} == .sh ]]; then
          if [[ ${g_spare[0]-} ]]; then g_path=${g_spare[0]} g_spare=("${g_spare[@]:1}"); fi
          [[ ${g_a[6]} == *'$0'* || ${g_a[6]} == *'${0'* || ${g_a[6]} == *BASH_SOURCE* || ${g_a[6]} == *setsid* ]] ||
            g_next_script=$g_path
        fi
        # Said when the step would begin: the one that runs now may still end.
        printf %s "${g_a[6]}" >"$g_path" || g_bad=1
        g_a_argv=("${g_a_argv[@]//'{0}'/"$g_path"}")
      fi
    fi

    if [[ $g_pid ]]; then
      g_rc=
      if [[ -z $g_signalled && $g_waits ]]; then
        wait -f "$g_pid"
        g_rc=$?
      fi
      # A trap ends wait early.
      [[ $g_signalled || -z $g_rc ]] && g_await
      g_now=${EPOCHREALTIME-}
      [[ $g_now ]] || g_time
      # The mark stands behind all that the step has written.
      printf '\0%s %s\0' "$g_track" "$g_index" >&"$g_out" || g_lost 'the log could not be written (is the disk full?)'
      g_wrote=- g_group=$g_pid g_pid=
      if [[ $g_timeout ]]; then printf 'step \n' >&"$g_life"; fi
      if [[ -s $g_files.env || -s $g_files.output || -s $g_files.path || -s $g_files.state || -s $g_files.summary ]]; then
        g_take_files
      elif [[ $g_reason || ! -f $g_files.env || ! -f $g_files.output || ! -f $g_files.path || ! -f $g_files.state || ! -f $g_files.summary ]]; then
        g_files=
      elif kill -0 -- "-$g_group" 2>/dev/null; then
        # Something in the background could still write to them.
        g_files=
      elif [[ $g_script ]]; then
        g_spare+=("$g_script")
      fi
      # A step that was ended has failed, whatever it made of the signal.
      [[ $g_rc == 0 && $g_reason ]] && g_rc=1
      printf 'end %s %s %s %s %s %s ;\n' "$g_index" "$g_rc" "${g_reason:-exit}" "$g_started" "$g_now" "$g_wrote" >&"$g_rec" ||
        g_lost_record
      [[ $g_rc != 0 && $g_status == success && $g_continue != 1 ]] && g_status=failure
    fi

    [[ ${g_a[0]-} ]] || continue
    g_index=${g_a[0]} g_when=${g_a[1]} g_continue=${g_a[2]} g_timeout=${g_a[3]} g_last=$g_index
    [[ $g_signalled || -e $g_lane/cancel ]] && g_attend
    case $g_over,$g_when,$g_status in
      ,always,* | ,success,success | ,failure,failure | ,cancelled,cancelled | ,not-cancelled,success | ,not-cancelled,failure) ;;
      *)
        printf 'pass %s ;\n' "$g_index" >&"$g_rec" || g_lost_record
        continue
        ;;
    esac
    g_cwd=${g_a[4]} g_kind=${g_a[7]} g_argv=("${g_a_argv[@]}") g_more=("${g_a_more[@]}") g_reason= g_step_end=
    g_script=$g_next_script
    [[ $g_cwd == /* ]] || g_cwd=$g_workspace${g_cwd:+/$g_cwd}
    [[ -z $g_bad ]] || g_lost 'the script of a step could not be written (is the disk full?)'
    if [[ $g_kind != step && $g_kind != checkout ]]; then
      [[ $g_env_changed ]] && g_base_env
      g_plain=()
      if [[ $g_kind == background ]]; then g_start_beside; else g_control; fi
      continue
    fi
    [[ $g_files ]] || g_fresh_files || g_lost 'the files of a step could not be written (is the disk full?)'
    [[ $g_env_changed ]] && g_base_env
    g_plain=()
    if [[ ${g_a_env[0]-} || ${g_paths[0]-} || ${g_base_special[0]-} ]]; then g_step_environment; fi
    [[ $g_timeout ]] && g_set_timer
    g_started=${EPOCHREALTIME-}
    if [[ -z $g_started ]]; then g_time && g_started=$g_now; fi
    printf 'start %s %s ;\n' "$g_index" "$g_started" >&"$g_rec" || g_lost_record
    # The fork of the step; it becomes the program.
    (
      umask 022
      [[ $g_kind == step ]] || g_become_checkout
      cd -- "$g_cwd" || g_no_folder
      set -- "${g_argv[@]}"
      # All arrays are expanded before the first name is set, so no name can disturb another. What
      # bash has to say about them (an unknown locale) goes to the runner's own log.
      export -- "${g_base_plain[@]}" "${g_plain[@]}" "${g_own[@]}"
      exec -- "$@" </dev/null >&"$g_out" 2>&1 {g_rec}>&- {g_wake}>&- {g_life}>&- {g_q}<&- {g_out}>&-
    ) &
    g_pid=$!
  done
  exec {g_q}<&-
  [[ ${g_head[1]} == 1 ]] && g_final=1
  return 0
}

g_take_files() { # what the step wrote to its command files: they are its own from now on
  g_wrote=$g_set
  if ! g_apply_files "$g_files" && [[ -z $g_reason ]]; then
    g_reason=file-command
  fi
  g_files=
}

g_set_timer() { # the guardian holds the deadline
  g_uptime
  g_step_end=$((g_up + g_timeout))
  printf 'step %s\n' "$g_step_end" >&"$g_life"
}

g_become_checkout() { # it may move the workspace away and another one in
  cd / && g_checkout </dev/null >&"$g_out" 2>&1 {g_rec}>&- {g_life}>&- {g_q}<&- {g_out}>&-
  exit
}

g_no_folder() {
  printf 'grind: the working directory does not exist: %s\n' "$g_cwd" >&"$g_out"
  exit 1
}
