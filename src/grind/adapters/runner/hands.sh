# One command of a session and its answer; and the hands, a shell that waits already when a command comes.
#
# The shell that serves must never wait for a command, so one that it runs costs it two forks: one waits, one
# becomes the command. The hands take one command at a time from it, and answer by themselves. What a fork
# costs goes by the pages of the shell: this comes first in the program, the hands leave before the rest is
# read, and what is lent to all commands is exported in them once.

g_lend() { # NAME=VALUE...: to every command of this shell; what would change the shell itself, in the fork only
  local g_pair
  for g_pair; do
    case $g_pair in
      LC_ALL=* | CDPATH=*) g_late+=("$g_pair") ;;
      *) export -- "$g_pair" ;;
    esac
  done
}

# The process group is the command's own. Job control is for the fork alone: a shell that has it would take
# a command that is stopped for one that has ended.
g_command() { # ARGV...: run it for the request g_id with the number g_number, where this shell is, and answer
  local g_rc
  set -m
  (
    ((${#g_late[@]})) && export -- "${g_late[@]}"
    exec -- "$@" <"${g_input:-/dev/null}" >"$g_files.o" 2>"$g_files.e"
  ) &
  set +m
  # Whoever ends it marks first, and looks who it is then (g_end_command, g_end_session); so here it is noted
  # first.
  if ! printf '%s %s\n' "$!" "$g_number" 2>/dev/null 1<>"$g_files.p" || [[ ! -e $g_session/open ]]; then
    kill -KILL -- "-$!"
    wait "$!"
    [[ -e $g_session/open ]] || { rm -rf -- "$g_session"; exit 0; }
    g_cannot_keep
    return
  fi
  [[ -s $g_files.k ]] && kill -KILL -- "-$!"
  wait "$!"
  g_rc=$?
  # Looking for the program before would cost every command something.
  if ((g_rc != 126 && g_rc != 127)) || type -P -- "$1" >/dev/null; then
    g_answer_files "$g_rc" "$g_files.o" "$g_files.e"
  elif [[ $1 == */* && -e $1 ]]; then
    g_answer 126 '' "$1: permission denied"
  else
    g_answer 127 '' "$1: command not found"
  fi
  [[ -z $g_input ]] || : >"$g_input"
}

g_main_hands() { # SESSION PATH: what is lent is in a file there, commands come on the standard input
  local g_id g_number g_input g_files
  local -a g_a g_head g_late=()
  g_session=$1 g_path=$2
  mapfile -d '' -t g_a <"$g_session/env" || return
  unset -v PATH OLDPWD
  g_lend "${g_a[@]}"
  : >"$g_session/hands"
  # ID NUMBER INPUT COUNT, and so many: CWD ARGV...
  while mapfile -d '' -t -n 4 g_head && ((${#g_head[@]} == 4)); do
    g_id=${g_head[0]} g_number=${g_head[1]} g_input=${g_head[2]} g_files=$g_session/${g_head[0]}
    mapfile -d '' -t -n "${g_head[3]}" g_a
    ((${#g_a[@]} == g_head[3])) || return
    if [[ ${g_a[0]} == / ]]; then
      g_command "${g_a[@]:1}"
    elif cd -- "${g_a[0]}" 2>/dev/null; then
      unset -v OLDPWD
      g_command "${g_a[@]:1}"
      cd /
    else
      g_answer 127 '' "${g_a[0]}: no such folder"
    fi
  done
}

LC_ALL=C
if [[ ${1-} == hands ]]; then
  g_main_hands "${@:2}"
  exit
fi
