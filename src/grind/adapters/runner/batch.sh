# A batch of the queue, step by step.
#
# All that a usual step needs between two steps is in this one loop: bash copies the body of a function at
# every call, and what the runner has touched in memory is paid for again at the fork. What can be
# done while a step runs is: the next one is read, and forked.

# The scripts of all steps, before the first of them: written while a step runs, each would have the
# kernel copy what the runner touches, because the step's fork still shares it.
g_write_scripts() { # COUNT
  local g_left=$1
  local -a g_s
  # None is there yet; and in a folder that others write to, nobody else's file is taken for it.
  set -C
  while ((g_left--)); do
    mapfile -d '' -t -n 3 -u "$g_q" g_s
    ((${#g_s[@]} == 3)) || g_lost 'a batch of the queue is damaged'
    # Two clients may have queued the same steps in different portions: each runs once.
    ((g_s[0] <= g_last)) && continue
    { printf %s "${g_s[2]}" >"$g_scripts${g_s[0]}${g_s[1]}"; } 2>/dev/null && continue
    g_on_disk[${g_s[0]}]=1
    # Said when the step would begin: what comes before it can still be done.
    printf %s "${g_s[2]}" >|"$g_lane/s/${g_s[0]}${g_s[1]}" || g_bad_scripts[${g_s[0]}]=1
  done
  set +C
}

g_run_batch() {
  local g_ready= g_head g_q g_length g_started g_ahead= g_ahead_index= g_ahead_files=stale g_turn=0 g_told=
  local -a g_a g_a_env
  exec {g_q}<"$g_batch"
  mapfile -d '' -t -n 3 -u "$g_q" g_head
  [[ ${g_head[0]} == grind-batch/2 ]] || g_lost 'a batch of the queue is damaged'
  g_write_scripts "${g_head[2]}"
  mapfile -d '' -t -n 1 -u "$g_q" g_a
  g_length=${g_a[0]-}
  until [[ $g_length == 0 ]]; do
    # Usually it was read while the step before ran: that is waiting time.
    [[ $g_ready ]] || mapfile -d '' -t -n "$((g_length + 1))" -u "$g_q" g_a
    g_ready=
    ((${#g_a[@]} == g_length + 1)) || g_lost 'a batch of the queue is damaged'
    g_length=${g_a[g_length]}
    unset -v 'g_a[-1]'
    # Two clients may have queued the same steps in different portions: each runs once.
    ((g_a[0] > g_last)) || continue
    g_index=${g_a[0]} g_when=${g_a[1]} g_continue=${g_a[2]} g_timeout=${g_a[3]} g_last=$g_index
    [[ $g_signalled || -e $g_lane/cancel ]] && g_attend
    case $g_over,$g_when,$g_status in
      ,always,* | ,success,success | ,failure,failure | ,cancelled,cancelled | ,not-cancelled,success | ,not-cancelled,failure) ;;
      *)
        printf 'pass %s ;\n' "$g_index" || g_lost_record
        continue
        ;;
    esac
    g_kind=${g_a[6]} g_reason= g_step_end=
    [[ -z ${g_bad_scripts[$g_index]-} ]] || g_lost 'the script of a step could not be written (is the disk full?)'
    if [[ $g_env_changed ]]; then
      g_base_env
      g_ahead_files=stale
    fi
    if [[ $g_ahead ]]; then g_still_fits || g_drop_ahead; fi
    if [[ -z $g_ahead ]]; then
      g_read_step
      if [[ $g_kind != step ]]; then
        g_more=("${g_a[@]:9 + g_a[7] + g_a[8]}")
        g_plain=()
        case $g_kind in
          background) g_start_beside ;;
          wait | cancel) g_control ;;
        esac
        [[ $g_kind == checkout ]] || continue
      fi
      [[ $g_files ]] || g_fresh_files || g_lost 'the files of a step could not be written (is the disk full?)'
      g_is_usual || g_step_environment
    fi
    [[ $g_timeout ]] && g_set_timer
    g_started=${EPOCHREALTIME-}
    if [[ -z $g_started ]]; then g_time && g_started=$g_now; fi
    printf 'start %s %s ;\n' "$g_index" "$g_started" || g_lost_record
    if [[ $g_ahead ]]; then
      g_told=${g_go[g_turn]}
      printf '%s\n' "$g_index" >&"$g_told"
      g_pid=$g_ahead g_ahead=
    else
      g_told=
      # The fork of the step; it becomes the program.
      g_become_step &
      g_pid=$!
    fi
    g_rc=
    if [[ $g_length != 0 ]]; then
      g_ready=1
      mapfile -d '' -t -n "$((g_length + 1))" -u "$g_q" g_a
      g_fork_ahead
    fi
    if [[ -z $g_signalled && $g_waits ]]; then
      wait -f "$g_pid"
      g_rc=$?
    fi
    # A trap ends wait early.
    [[ $g_signalled || -z $g_rc ]] && g_await
    [[ $g_rc -gt 128 && $g_told && -z $g_reason ]] && g_begin_again
    g_now=${EPOCHREALTIME-}
    [[ $g_now ]] || g_time
    # The mark stands behind all that the step has written.
    printf '\0%s %s\0' "$g_track" "$g_index" >&"$g_out" || g_lost 'the log could not be written (is the disk full?)'
    g_wrote=- g_group=$g_pid g_pid=
    # Or every later fork would have it, and all that came before, to forget.
    disown "$g_group"
    if [[ $g_timeout ]]; then printf 'step \n' >&"$g_life"; fi
    if [[ -s $g_files.env || -s $g_files.output || -s $g_files.path || -s $g_files.state || -s $g_files.summary ]]; then
      g_take_files
    elif [[ $g_reason || ! -f $g_files.env || ! -f $g_files.output || ! -f $g_files.path || ! -f $g_files.state || ! -f $g_files.summary ]]; then
      g_files=
    elif kill -0 -- "-$g_group" 2>/dev/null; then
      # Something in the background could still write to them.
      g_files=
    fi
    # A step that was ended has failed, whatever it made of the signal.
    [[ $g_rc == 0 && $g_reason ]] && g_rc=1
    printf 'end %s %s %s %s %s %s ;\n' "$g_index" "$g_rc" "${g_reason:-exit}" "$g_started" "$g_now" "$g_wrote" ||
      g_lost_record
    [[ $g_rc != 0 && $g_status == success && $g_continue != 1 ]] && g_status=failure
  done
  [[ $g_ahead ]] && g_drop_ahead
  exec {g_q}<&-
  # What comes next may be queued when the client has heard of this.
  g_tell_follower
  [[ ${g_head[1]} == 1 ]] && g_final=1
  return 0
}

g_read_step() { # → g_argv, g_cwd, g_a_env, g_script: of the step in g_a
  g_script=$g_scripts${g_a[0]}${g_a[5]}
  [[ -z ${g_on_disk[${g_a[0]}]-} ]] || g_script=$g_lane/s/${g_a[0]}${g_a[5]}
  g_argv=("${g_a[@]:9:g_a[7]}") g_a_env=("${g_a[@]:9 + g_a[7]:g_a[8]}") g_cwd=${g_a[4]}
  g_argv=("${g_argv[@]//'{0}'/"$g_script"}")
  [[ $g_cwd == /* ]] || g_cwd=$g_workspace${g_cwd:+/$g_cwd}
}

g_is_usual() { # → g_plain: the step's own environment; false when it cannot be exported as it is
  local g_pair
  g_plain=("${g_a_env[@]}")
  [[ -z ${g_base_special[0]-} ]] || return
  for g_pair in "${g_a_env[@]}"; do [[ ${g_usual[${g_pair%%=*}]-} ]] || return; done
}

g_become_step() {
  umask 022
  [[ $g_kind == step ]] || g_become_checkout
  cd -- "$g_cwd" || g_no_folder
  set -- "${g_argv[@]}"
  # All arrays are expanded before the first name is set, so no name can disturb another. What
  # bash has to say about them (an unknown locale) goes to the runner's own log.
  export -- "${g_base_plain[@]}" "${g_plain[@]}"
  # Apart from the program: bash keeps nothing then to undo it with.
  exec </dev/null >&"$g_out" 2>&1 {g_wake}>&- {g_life}>&- {g_q}<&- {g_out}>&- {g_go0}>&- {g_go1}>&-
  exec -- "$@"
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
  cd / && g_checkout </dev/null >&"$g_out" 2>&1 {g_life}>&- {g_q}<&- {g_out}>&- {g_go0}>&- {g_go1}>&-
  exit
}

g_no_folder() {
  printf 'grind: the working directory does not exist: %s\n' "$g_cwd" >&"$g_out"
  exit 1
}
