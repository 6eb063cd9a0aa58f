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
  [ -f "$notes/answers" ] && [ -O "$notes/answers" ] || return 1
}

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
