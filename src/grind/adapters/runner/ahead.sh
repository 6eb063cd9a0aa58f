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
  # What is redirected for all of a fork is not kept, as `exec` keeps it, to be undone.
  (
    umask 022
    set -- "${g_argv[@]}"
    # What bash has to say about these (an unknown locale) goes to the runner's own log.
    export -- "${g_base_plain[@]}" "${g_plain[@]}"
    g_start_early "$@"
    exec 2>&1
    # What was meant for one that was killed is not for this one.
    until [[ $g_reply == "$g_ahead_index" ]]; do IFS= read -r g_reply || exit; done
    g_out=1
    cd -- "$g_cwd" || g_no_folder
    exec </dev/null
    exec -- "$@"
  ) <&"${g_go[g_turn]}" >&"$g_out" {g_wake}>&- {g_life}>&- {g_q}<&- {g_out}>&- {g_go0}>&- {g_go1}>&- &
  g_ahead=$!
}

# Most steps are scripts of bash, and most of a small one's time goes by until bash has begun. So the fork becomes
# the bash of the step at once: that looks into BASH_ENV before it opens its script, and waits there.
g_start_early() { # ARGV...: returns when it cannot be
  [[ $g_bash ]] || return
  case "$*" in
    "bash -e $g_script" | "bash --noprofile --norc -e -o pipefail $g_script") ;;
    *) return ;;
  esac
  ((${#g_plain[@]} == 0)) || g_may_begin_early "${g_plain[@]}" || return
  g_early_file=$g_lane/early g_said=$g_lane/early.$g_turn
  if [[ -s $g_early_file && -r $g_early_file ]] && cd -- "$g_cwd" 2>/dev/null; then
    # Bash expands what is in it, once: a folder may be named `$(id)`.
    export -- 'BASH_ENV=$g_early_file' g_early_file g_said g_cwd g_ahead_index
    exec -a bash -- "$BASH" "${@:2}" 2>"$g_said"
  fi
}

g_may_begin_early() { # NAME=VALUE...: none names what a program takes code from as it begins
  local g_pair
  for g_pair; do
    [[ $g_pair != @(LD_|LOCPATH=|GLIBC_|GCONV_)* ]] || return
  done
}

# A program that is only called so may not know BASH_ENV, and would run the script before its turn.
g_find_bash() { # → g_bash: where the PATH of the steps leads to this very bash, else empty; g_no_bash: a test whether it is where it was looked for in vain
  local g_pair g_path= IFS=:
  g_bash= g_no_bash=()
  g_may_begin_early "${g_base_plain[@]}" || return 0
  for g_pair in "${g_base_plain[@]}"; do
    [[ $g_pair != PATH=* ]] || g_path=${g_pair#PATH=}
  done
  [[ $g_path == /* && :$g_path != *:[!/]* && $g_path != *:: && $g_path != *: && $g_path != *[*?[]* && $g_path != *[\(\\]* ]] || return 0
  for g_pair in $g_path; do
    if [[ ! -e $g_pair/bash ]]; then
      g_no_bash+=(${g_no_bash:+-o} -e "$g_pair/bash")
    else
      [[ -f $g_pair/bash && $g_pair/bash -ef /proc/$$/exe ]] && g_bash=$g_pair/bash
      return 0
    fi
  done
}

g_still_fits() { # is what waits still what it would be, were it forked now?
  [[ $g_ahead_index == "$g_index" && $g_ahead_files == "$g_files" && -d /proc/$g_ahead ]] || return
  [[ $g_bash ]] || return 0
  if [[ ! $g_bash -ef /proc/$$/exe ]] || { ((${#g_no_bash[@]})) && [ "${g_no_bash[@]}" ]; }; then
    g_find_bash
    return 1
  fi
}

# What BASH_ENV names. In the end nothing of it is to be seen. Where it turns out that bash would begin otherwise
# now (in another folder, with something to say), it begins once more.
g_early() { # $_, which stays what it is
  # What was meant for one that was killed is not for this one.
  until [[ $BASH_ENV == "$g_ahead_index" ]]; do IFS= read -r BASH_ENV || exit; done
  exec </dev/null 2>&1
  if [[ -s $g_said || ! . -ef $g_cwd ]]; then
    unset -v OLDPWD
    export -n PWD
    cd -- "$g_cwd" 2>/dev/null || { printf 'grind: the working directory does not exist: %s\n' "$g_cwd"; exit 1; }
    unset -v BASH_ENV g_early_file g_said g_cwd g_ahead_index
    [[ ! -o pipefail ]] || exec -- bash --noprofile --norc -e -o pipefail "$0"
    exec -- bash -e "$0"
  fi
  SECONDS=0
  unset -v BASH_ENV g_early_file g_said g_cwd g_ahead_index
  unset -f g_early
}

g_write_early() {
  { declare -f g_early && printf '%s\n' 'g_early "$_"'; } >"$g_lane/early"
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
