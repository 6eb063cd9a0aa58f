# Steps in the background: `background`, `wait`, `wait-all`, `cancel` of GitHub.
#
# A step in the background has a keeper: a fork of the runner that starts it, waits for it, ends it when
# its time is over or it is told to (TERM), and records its end when that is. Its output goes through
# a pipe of its own to a log of its own. What it wrote to its command files counts for the others when
# somebody has waited for it: the runner reads them then.

g_start_beside() { # the step of the batch that begins now
  local g_started g_pipe
  g_fresh_files || g_lost 'the files of a step could not be written (is the disk full?)'
  : >>"$g_lane/log.$g_index" || g_lost 'the log could not be written (is the disk full?)'
  exec {g_pipe}> >(exec cat >>"$g_lane/log.$g_index" {g_wake}>&- {g_life}>&- {g_out}>&- {g_q}<&- {g_go0}>&- {g_go1}>&-)
  g_cats+=("$!")
  g_step_environment
  g_time
  g_started=$g_now
  g_record beside "$g_index" "$g_started"
  g_keep_step "$g_pipe" "$g_started" {g_life}>&- {g_q}<&- {g_go0}>&- {g_go1}>&- &
  g_beside[$g_index]=$!
  g_forgiven[$g_index]=$g_continue
  exec {g_pipe}>&-
  # Its command files are its own.
  g_files=
}

g_keep_step() { # PIPE STARTED, in a fork: the keeper
  local g_rc g_timer= g_told= g_late= g_me=$BASHPID
  trap 'g_told=1' TERM
  trap 'g_late=1' USR1
  # Handlers, so that the step does not ignore them.
  trap : HUP PIPE
  exec {g_wake}<>"$g_lane/idle"
  set -m
  (
    umask 022
    cd -- "$g_cwd" || { printf 'grind: the working directory does not exist: %s\n' "$g_cwd" >&"$1"; exit 1; }
    g_keep_out=$1
    set -- "${g_argv[@]}"
    export -- "${g_base_plain[@]}" "${g_plain[@]}"
    exec -- "$@" </dev/null >&"$g_keep_out" 2>&1 {g_wake}>&- {g_out}>&- {g_keep_out}>&-
  ) &
  g_pid=$!
  if [[ $g_timeout ]]; then
    printf -v g_timer '%d.%02d' $((g_timeout / 100)) $((g_timeout % 100))
    g_tell_late "$g_me" "$g_timer" </dev/null >/dev/null 2>&1 {g_out}>&- &
    g_timer=$!
  fi
  # Looking again and again, because a signal that comes just before a `wait` would not end it.
  while kill -0 "$g_pid" 2>/dev/null; do
    [[ -z $g_told ]] || g_stop_step cancelled
    [[ -z $g_late ]] || g_stop_step timeout
    g_nap 0.05
  done
  wait "$g_pid"
  g_rc=$?
  [[ -z $g_timer ]] || kill -KILL -- "-$g_timer" 2>/dev/null
  # Who asks now comes too late.
  trap '' TERM USR1
  g_time
  printf '\0%s %s\0' "$g_track" "$g_index" >&"$1"
  g_wrote=-
  if g_has_written "$g_files"; then
    g_wrote=$g_index
    if ! g_apply_files "$g_files" && [[ -z $g_reason ]]; then g_reason=file-command; fi
  fi
  [[ $g_rc == 0 && $g_reason ]] && g_rc=1
  printf 'end %s %s %s %s %s %s ;\n' "$g_index" "$g_rc" "${g_reason:-exit}" "$2" "$g_now" "$g_wrote"
  [[ $g_reason == cancelled ]] && exit 2
  ((g_rc == 0)) || exit 1
  exit 0
}

g_tell_late() { # KEEPER SECONDS
  sleep "$2" && kill -USR1 "$1"
}

g_has_written() { # FILES
  [[ -s $1.env || -s $1.output || -s $1.path || -s $1.state || -s $1.summary ]]
}

g_join() { # INDEX → g_rc: 0, 1 when the step has failed, 2 when it was cancelled
  local g_keeper=${g_beside[$1]-}
  # Waited for before, or never begun.
  g_rc=${g_joined[$1]-0}
  [[ $g_keeper ]] || return 0
  while :; do
    if [[ $g_signalled ]]; then
      g_attend
      if g_is_forgotten "$g_keeper"; then g_find_end "$1"; break; fi
    fi
    wait "$g_keeper"
    g_rc=$?
    [[ $g_signalled ]] || kill -0 "$g_keeper" 2>/dev/null || break
  done
  if [[ $g_rc != [012] ]]; then
    # Killed before it could record the end of its step.
    g_time
    printf '\0%s %s\0' "$g_track" "$1" >>"$g_lane/log.$1"
    g_record end "$1" "$g_rc" exit "$g_now" "$g_now" -
    g_rc=1
  fi
  unset -v "g_beside[$1]"
  g_joined[$1]=$g_rc
  # It was judged by its keeper; here it takes effect.
  if g_has_written "$g_lane/f/$1"; then g_apply_files "$g_lane/f/$1" || :; fi
}

g_find_end() { # INDEX → g_rc: what its keeper has recorded, as its exit code would say it; 137 when it has nothing
  local g_line g_why
  g_rc=137
  while IFS= read -r g_line; do
    [[ $g_line == "end $1 "*' ;' ]] || continue
    IFS=' ' read -r _ _ g_rc g_why _ <<<"$g_line"
    if [[ $g_why == cancelled ]]; then g_rc=2; elif ((g_rc)); then g_rc=1; fi
  done <"$g_lane/records"
}

g_stop_beside() { # INDEX...: ask their keepers to end them
  local g_i
  for g_i; do
    if [[ ${g_beside[$g_i]-} ]]; then kill -TERM "${g_beside[$g_i]}" 2>/dev/null; fi
  done
}

g_control() { # a step `wait` or `cancel` of the batch, for the steps in g_more
  local g_started g_i g_bad= g_gone=
  g_time
  g_started=$g_now
  g_record start "$g_index" "$g_started"
  if [[ $g_kind == cancel ]]; then g_stop_beside "${g_more[@]}"; fi
  for g_i in "${g_more[@]}"; do
    g_join "$g_i"
    case $g_rc,${g_forgiven[$g_i]-} in
      1,0) g_bad=1 ;;
      2,*) g_gone=1 ;;
    esac
  done
  g_rc=0 g_reason=exit
  # Who was told to end has not failed the job yet; that is for the end of the job to say.
  if [[ $g_kind == wait && $g_bad ]]; then g_rc=1; fi
  if [[ $g_kind == wait && $g_gone && $g_status == cancelled ]]; then g_rc=1 g_reason=cancelled; fi
  printf '\0%s %s\0' "$g_track" "$g_index" >&"$g_out" || g_lost 'the log could not be written (is the disk full?)'
  g_time
  g_record end "$g_index" "$g_rc" "$g_reason" "$g_started" "$g_now" -
  g_reason=
  if [[ $g_rc != 0 && $g_status == success && $g_continue != 1 ]]; then g_status=failure; fi
}

g_join_all() { # at the end of the job: whatever nobody has waited for
  local g_i
  if [[ $g_over || $g_status == cancelled ]]; then g_stop_beside "${!g_beside[@]}"; fi
  for g_i in "${!g_beside[@]}"; do g_join "$g_i"; done
  for g_i in "${!g_joined[@]}"; do
    if [[ ${g_joined[$g_i]} == 1 && ${g_forgiven[$g_i]} == 0 && $g_status == success ]]; then g_status=failure; fi
  done
}
