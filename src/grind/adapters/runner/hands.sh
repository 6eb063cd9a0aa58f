# One command of a session and its answer; and the hands, which wait already when a command comes.
#
# The shell that serves must never wait for a command, so one that it runs costs it two forks: one waits, one
# becomes the command. The hands are a second shell, and a fork of it that reads the next command and becomes
# it: both are there before it comes. What a fork costs goes by the pages of the shell: this stands first in
# the program, the hands leave before the rest is read, and what is lent to all commands is exported there once.

g_lend() { # NAME=VALUE...: to every command of this shell; what would change the shell itself, in the fork only
  local g_pair
  for g_pair; do
    case $g_pair in
      LC_ALL=* | CDPATH=*) g_late+=("$g_pair") ;;
      *) export -- "$g_pair" ;;
    esac
  done
}

# The command has a process group of its own. Job control is for the fork alone: a shell that has it would
# take a command that is stopped for one that has ended.
g_carry_out() { # WORD...: what a fork of this shell begins with; wait for it and answer → fails when it was no command
  local g_rc g_said g_before= g_noted=
  IFS=' ' read -r _ g_before _ <"$g_note"
  set -m
  ("$@") &
  set +m
  wait "$!"
  g_rc=$?
  IFS=' ' read -r _ g_noted g_id <"$g_note" && [[ $g_noted != "$g_before" ]] || return
  g_files=$g_session/$g_id
  if ((g_rc == 126 || g_rc == 127)); then g_explain; fi
  g_answer_files "$g_rc" "$g_files.o" "$g_files.e"
  if [[ -s $g_files.i ]]; then : >"$g_files.i"; fi
}

# Whoever ends a command marks first, and looks who it is then (g_end_command, g_end_session): here it is
# noted first, and then the mark is looked for.
g_become() { # FOLDER ARGV...: the fork becomes the command of the request g_id, which has the number g_number
  printf '%s %s %s\n' "$BASHPID" "$g_number" "$g_id" 2>/dev/null 1<>"$g_note" || { g_cannot_keep; exit 125; }
  if [[ -s $g_files.k || ! -e $g_session/open ]]; then
    [[ -e $g_session/open ]] || rm -rf -- "$g_session"
    exit 137
  fi
  [[ $1 == / ]] || g_go_to "$1"
  ((${#g_late[@]})) && export -- "${g_late[@]}"
  shift
  exec -- "$@" <"${g_input:-/dev/null}" >"$g_files.o" 2>"$g_files.e"
}

# Looking for the program before would cost every command something. What bash says when it cannot become it
# begins with the name and a line of this very program.
g_explain() { # → g_said: in our words, where .e holds such
  IFS= read -r -d '' -n 4096 g_said <"$g_files.e"
  [[ $g_said == "$0: line "* ]] || return
  g_said=${g_said##*"$0: line "}
  g_said=${g_said#*: }
  g_said=${g_said%$'\n'}
  case $g_said in
    exec:*': not found') g_said="${g_said%: not found}: command not found" ;;
    exec:*': cannot execute: Permission denied' | exec:*': cannot execute: Is a directory') g_said="${g_said%: cannot*}: permission denied" ;;
  esac
  printf %s "${g_said#exec: }" >"$g_files.e"
}

g_go_to() { # FOLDER
  cd -- "$1" 2>/dev/null || g_not_run 127 "$1: no such folder"
  unset -v OLDPWD
}

g_not_run() { # CODE REASON
  : >"$g_files.o"
  printf %s "${2:0:600}" >"$g_files.e"
  exit "$1"
}

g_hand() { # a fork of the hands: the next command
  local -a g_a
  mapfile -d '' -t -n 4 g_a
  ((${#g_a[@]} == 4)) || exit
  g_id=${g_a[0]} g_number=${g_a[1]} g_input=${g_a[2]} g_files=$g_session/${g_a[0]}
  local g_count=${g_a[3]}
  mapfile -d '' -t -n "$g_count" g_a
  ((${#g_a[@]} == g_count)) || exit
  g_become "${g_a[@]}"
}

g_main_hands() { # SESSION PATH: what is lent is in a file there; commands come on the standard input
  local g_id= g_number= g_input= g_files=
  local -a g_pairs g_late=()
  g_session=$1 g_path=$2 g_note=$1/hand
  mapfile -d '' -t g_pairs <"$g_session/env" || return
  unset -v PATH OLDPWD
  g_lend "${g_pairs[@]}"
  printf '%31s\n' '' >"$g_note" || return
  while g_carry_out g_hand; do :; done
}

LC_ALL=C
if [[ ${1-} == hands ]]; then
  g_main_hands "${@:2}"
  exit
fi
