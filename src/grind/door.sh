#!/bin/sh
# The door: what `grind` on the PATH is. Starting Python costs as much as a small script does, so `grind py` with
# an answer that Python has given before goes straight to the interpreter from here, if nothing that the answer
# hangs on has changed: every file has the very time (to the nanosecond) that it had then. Everything else, and
# every doubt, goes to Python. What is read here is written by adapters/door.py; see docs/adr/0046.
main=${0%/*}/grind-python
if ! [ -e "$main" ]; then # a link to the door alone
  main=$(readlink -f -- "$0")
  main=${main%/*}/grind-python
fi

# Whether a file has the time of the stamp that was made beside the answer.
same() { [ -f "$1" ] && [ -f "$2" ] && ! [ "$1" -nt "$2" ] && ! [ "$1" -ot "$2" ]; }

# Find the answers for the repository around us; not where something else says which repository is meant.
find_notes() {
  [ -z "${GIT_DIR+x}${GIT_WORK_TREE+x}" ] || return 1
  at=${PWD-}
  case $at in /*) ;; *) return 1 ;; esac
  while ! [ -e "$at/.git" ]; do
    at=${at%/*}
    [ -n "$at" ] || return 1
  done
  notes=$at/.git/grind/door
  if [ -f "$at/.git" ]; then # a linked worktree
    IFS= read -r line <"$at/.git" || return 1
    case $line in 'gitdir: '/*) notes=${line#gitdir: }/grind/door ;; *) return 1 ;; esac
  fi
  notes=$notes${1:+/$1}
  [ -f "$notes/answers" ] && [ -O "$notes/answers" ] || return 1
}

# Give the answer of `grind lint` again: what was typed, the variables that count, and each file that the answer
# was made from must be what they were. `stat` says that of all files in one go. See docs/adr/0055.
lint_again() {
  nl='
'
  for word; do case $word in *"$nl"*) return 1 ;; esac done
  [ -z "${GIT_INDEX_FILE+x}${GIT_COMMON_DIR+x}${GIT_OBJECT_DIRECTORY+x}${GIT_ALTERNATE_OBJECT_DIRECTORIES+x}" ] || return 1
  [ -z "${GIT_NAMESPACE+x}${GIT_CEILING_DIRECTORIES+x}${GIT_DISCOVERY_ACROSS_FILESYSTEM+x}${GIT_CONFIG+x}" ] || return 1
  [ -z "${GIT_CONFIG_COUNT+x}${GIT_CONFIG_PARAMETERS+x}${GIT_EXEC_PATH+x}${GIT_LITERAL_PATHSPECS+x}" ] || return 1
  [ -z "${GIT_GLOB_PATHSPECS+x}${GIT_NOGLOB_PATHSPECS+x}${GIT_ICASE_PATHSPECS+x}" ] || return 1
  find_notes lint || return 1
  case ${PATH-}${HOME-}${XDG_CONFIG_HOME-}${NO_COLOR-}${LANG-}${LC_ALL-}${LC_CTYPE-}${PYTHONIOENCODING-} in *"$nl"*) return 1 ;; esac
  case $PWD${PYTHONUTF8-}${PYTHONCOERCECLOCALE-}${PYTHONPATH-}${GIT_CONFIG_GLOBAL-}${GIT_CONFIG_SYSTEM-} in *"$nl"*) return 1 ;; esac
  seen=$PWD$nl${PATH+=}${PATH-}$nl${HOME+=}${HOME-}$nl${XDG_CONFIG_HOME+=}${XDG_CONFIG_HOME-}
  seen=$seen$nl${NO_COLOR+=}${NO_COLOR-}$nl${LANG+=}${LANG-}$nl${LC_ALL+=}${LC_ALL-}$nl${LC_CTYPE+=}${LC_CTYPE-}
  seen=$seen$nl${PYTHONIOENCODING+=}${PYTHONIOENCODING-}$nl${PYTHONUTF8+=}${PYTHONUTF8-}
  seen=$seen$nl${PYTHONCOERCECLOCALE+=}${PYTHONCOERCECLOCALE-}$nl${PYTHONPATH+=}${PYTHONPATH-}
  seen=$seen$nl${GIT_CONFIG_GLOBAL+=}${GIT_CONFIG_GLOBAL-}$nl${GIT_CONFIG_SYSTEM+=}${GIT_CONFIG_SYSTEM-}
  seen=$seen$nl${GIT_CONFIG_NOSYSTEM+=}${GIT_CONFIG_NOSYSTEM-}$nl$#
  for word; do seen=$seen$nl$word; done
  [ -t 1 ] && seen=1$nl$seen || seen=0$nl$seen
  . "$notes/answers"
  door_lint "1$nl$seen" || return 1
  {
    cd -- "$at" && . "$notes/$door_name.list" && LC_ALL=C && export LC_ALL &&
      exec stat -L --printf='%.9Y %.9Z %s %i %f\n' -- "$@"
  } 2>/dev/null | cmp -s - "$notes/$door_name.want" || return 1
  cat -- "$notes/$door_name.out" 2>/dev/null || return 1
  exit "$door_code"
}

[ "${1-}" != lint ] || { shift; lint_again "$@"; set -- lint "$@"; }

if [ "${1-}" = py ] && [ $# -ge 2 ] && find_notes; then
  . "$notes/answers"
  if [ "${door_format-}" = 1 ] && [ "$door_homes" = "${GRIND_STATE_DIR-}:${XDG_STATE_HOME-}:${HOME-}" ]; then
    case $2 in
      -c) [ $# -ge 3 ] && door_code "$3" && words=3 || words= ;;
      -*) words= ;;
      /*) door_script "$2" && words=2 || words= ;;
      *) door_script "$PWD/$2" && words=2 || words= ;;
    esac
    [ -z "$words" ] || [ -z "$door_key" ] || [ -f "$door_usage" ] || words=
    if [ -n "$words" ] && door_fresh && [ -x "$door_program" ]; then
      [ -z "$door_key" ] || printf '{"key":"%s"}\n' "$door_key" >>"$door_usage"
      shift
      [ -z "$door_app" ] || { shift; exec "$door_program" "$@"; }
      door_enter
      exec "$door_program" "$@"
    fi
  fi
fi

# The console script's first line names the interpreter that grind was installed for. Beside the script, or beside
# the interpreter where the script is a link (pipx, uv), lies grind itself, or a file that says where its source is (an editable install).
IFS= read -r line <"$main"
case $line in '#!'/*[\ \"\']*) exec "$main" "$@" ;; '#!'/*/python*) ;; *) exec "$main" "$@" ;; esac
bin=${line#??}
bin=${bin%/*}
for place in "${main%/*}"/../lib/python3.*/site-packages "$bin"/../lib/python3.*/site-packages; do
  if [ -f "$place/_editable_impl_grind_loop.pth" ]; then
    IFS= read -r place <"$place/_editable_impl_grind_loop.pth" || :
  fi
  [ -f "$place/grind/lean.py" ] || continue
  exec "${line#??}" -S -P -c 'import sys
sys.path.append(sys.argv.pop(1))
from grind.lean import main
sys.exit(main())' "$place" "$@"
done
exec "$main" "$@"
