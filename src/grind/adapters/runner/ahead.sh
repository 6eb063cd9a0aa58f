# The next step, which is a process while the one before it runs.

# The step that is next becomes a process while the one before it runs, and waits to be told its index.
# Whatever the one before does to what it was forked with (the environment, the command files, the
# state of the job) makes it useless: it is ended, and forked anew.
g_fork_ahead() {
  local g_reply=
  g_run_argv=("${g_argv[@]}") g_run_plain=("${g_plain[@]}") g_run_cwd=$g_cwd
  [[ ${#g_a[@]} == $((g_length + 1)) && ${g_a[6]} == step && -z ${g_bad_scripts[${g_a[0]}]-} ]] || return 0
  ((g_a[0] > g_index)) && g_condition "${g_a[1]}" || return 0
  g_read_step
  g_is_usual || return 0
  # In turns: the step that was told to begin may still have to read that.
  g_turn=$((1 - g_turn)) g_ahead_index=${g_a[0]} g_ahead_files=$g_files
  (
    umask 022
    set -- "${g_argv[@]}"
    export -- "${g_base_plain[@]}" "${g_plain[@]}"
    exec <&"${g_go[g_turn]}" >&"$g_out" 2>&1 {g_rec}>&- {g_wake}>&- {g_life}>&- {g_q}<&- {g_out}>&- {g_go0}>&- {g_go1}>&-
    g_start_early "$@"
    # What was meant for one that was killed is not for this one.
    until [[ $g_reply == "$g_ahead_index" ]]; do IFS= read -r g_reply || exit; done
    g_out=1
    cd -- "$g_cwd" || g_no_folder
    exec </dev/null
    exec -- "$@"
  ) &
  g_ahead=$!
}

# Most steps are scripts of bash, and most of a small one's time goes by until bash has begun. So the fork becomes
# the bash of the step at once: that looks into BASH_ENV before it opens its script, and waits there. Only
# where it is sure to do so (it is this very bash), and nothing is named from which it takes code as it begins.
g_start_early() { # ARGV...: returns when it is none of these
  local g_script=$g_lane/s/${g_a[0]}${g_a[5]}
  case "$*" in
    "bash -e $g_script" | "bash --noprofile --norc -e -o pipefail $g_script") ;;
    *) return ;;
  esac
  case " ${g_base_plain[*]%%=*} ${g_plain[*]%%=*}" in
    *' LD_'* | *' LOCPATH'* | *' GLIBC_'* | *' GCONV_'*) return ;;
  esac
  g_early_file=$g_lane/early g_said=$g_lane/early.$g_turn
  if hash -- bash 2>/dev/null && [[ ${BASH_CMDS[bash]} -ef /proc/$BASHPID/exe && -s $g_early_file && -r $g_early_file ]] && cd -- "$g_cwd" 2>/dev/null; then
    # Bash expands what is in it, once: a folder may be named `$(id)`.
    export -- 'BASH_ENV=$g_early_file' g_early_file g_said g_cwd g_ahead_index
    exec -a bash -- "$BASH" "${@:2}" 2>"$g_said"
  fi
  hash -r
}

# What BASH_ENV names. In the end nothing of it is to be seen. Where it turns out that bash would begin otherwise
# now (in another folder, as another program, with something to say), it begins once more.
g_early() { # $_, which stays what it is
  # What was meant for one that was killed is not for this one.
  until [[ $BASH_ENV == "$g_ahead_index" ]]; do IFS= read -r BASH_ENV || exit; done
  exec </dev/null 2>&1
  hash -- bash 2>/dev/null || :
  if [[ -s $g_said || ! (. -ef $g_cwd && ${BASH_CMDS[bash]-} -ef /proc/$$/exe) ]]; then
    g_early_again "$0"
  fi
  # The list of them is made anew when it is looked at.
  hash -r && [[ -z ${BASH_CMDS[bash]-} ]]
  SECONDS=0
  unset -v BASH_ENV g_early_file g_said g_cwd g_ahead_index
  unset -f g_early g_early_again
}

g_early_again() { # SCRIPT
  set -- bash -e "$1"
  if [[ -o pipefail ]]; then set -- bash --noprofile --norc -e -o pipefail "$3"; fi
  unset -v OLDPWD
  export -n PWD
  cd -- "$g_cwd" 2>/dev/null || { printf 'grind: the working directory does not exist: %s\n' "$g_cwd"; exit 1; }
  unset -v BASH_ENV g_early_file g_said g_cwd g_ahead_index
  exec -- "$@"
}

g_write_early() {
  { declare -f g_early g_early_again && printf '%s\n' 'g_early "$_"'; } >"$g_lane/early"
}

# Somebody may kill what waits, and then it is dying still when it is told to begin. That was not the step.
g_begin_again() {
  IFS= read -r -t 0.01 -u "$g_told" g_reply && [[ $g_reply == "$g_index" ]] || return
  disown "$g_pid"
  if [[ $g_ready ]]; then g_argv=("${g_run_argv[@]}") g_plain=("${g_run_plain[@]}") g_cwd=$g_run_cwd; fi
  g_become_step &
  g_pid=$!
  g_await
}

g_drop_ahead() {
  kill -KILL "$g_ahead" 2>/dev/null
  wait "$g_ahead" 2>/dev/null
  disown "$g_ahead" 2>/dev/null
  g_ahead=
}
