# One holder at a time on this host, whichever repository or operator it is for.
#
#   take NAME PID WHO FROM WHAT [TOKEN]   hold NAME as long as process PID lives
#   free NAME TOKEN                       let go
#   hold NAME SECONDS WHO FROM WHAT       hold NAME by a process of its own, at most so many seconds
#   release NAME TOKEN                    let go of that, and end the process
#   show NAME                             who holds it
#   list                                  every lock that somebody holds, or left
#
# FROM may be empty: then it is where the ssh connection comes from. Answers are NUL-delimited: a word
# (`taken` and the token, `held`, `stale`, `free`), and after `held` and `stale` the holder's facts:
# token, pid, since (seconds since the epoch), who, from, what. A lock whose holder is gone is `stale`;
# it is taken over by naming its TOKEN, so never by somebody who has not been told whose it was.
# Status: 0 done, 3 somebody has it, 4 it is not yours to free, 2 wrong call, 1 it cannot be kept.
#
# A lock is a row of files NAME.N, of which the highest counts. A number is made once, whole, by a hard
# link, and only ever followed by a higher one: two who find the same dead holder cannot both follow.

g_alive() { # PID START → whether that very process is there; one that we may not see counts as there
  local g_line= g_words g_said
  { IFS= read -r -N 4096 g_line <"/proc/$1/stat"; } 2>/dev/null
  if [[ $g_line == *')'* ]]; then
    local IFS=' '
    g_words=(${g_line##*) })
    [[ ${g_words[0]} != [ZX] && ${g_words[19]} == "$2" ]]
    return
  fi
  g_said=$(kill -0 "$1" 2>&1) || [[ $g_said == *'not permitted'* ]]
}

g_start_of() { # PID → g_start
  local g_line= g_words
  { IFS= read -r -N 4096 g_line <"/proc/$1/stat"; } 2>/dev/null
  [[ $g_line == *')'* ]] || return 1
  local IFS=' '
  g_words=(${g_line##*) })
  g_start=${g_words[19]}
}

g_read_lock() { # NAME → g_top, g_facts; a file that goes away meanwhile was followed by a higher one
  local g_f g_try
  for g_try in 1 2 3 4 5; do
    g_top=0 g_facts=()
    for g_f in "$g_folder/$1".*; do
      [[ ${g_f##*.} == +([0-9]) && ${g_f##*.} -gt $g_top ]] && g_top=${g_f##*.}
    done
    ((g_top)) || return 0
    { mapfile -d '' -t g_facts <"$g_folder/$1.$g_top"; } 2>/dev/null
    [[ ${#g_facts[@]} -eq 10 && ${g_facts[0]} == grind-lock/1 ]] && return 0
  done
  return 1
}

g_state_of() { # → g_word: free, held or stale, of what was read last
  g_word=free
  ((g_top)) && [[ ${g_facts[1]} != free ]] || return 0
  g_word=stale
  [[ ${g_facts[4]} == "$g_boot" ]] && g_alive "${g_facts[2]}" "${g_facts[3]}" && g_word=held
  return 0
}

g_tell() { # the word, and the holder's facts
  printf '%s\0' "$g_word"
  [[ $g_word == free ]] || printf '%s\0' "${g_facts[1]}" "${g_facts[2]}" "${g_facts[5]}" "${g_facts[@]:6:3}"
}

g_write_aside() { # FIELD... → g_aside, a whole file that no reader looks at
  g_aside=$g_folder/.$$.$RANDOM$RANDOM
  printf '%s\0' grind-lock/1 "$@" end >"$g_aside" && return
  rm -f -- "$g_aside"
  return 1
}

g_take() { # NAME PID WHO FROM WHAT [TOKEN]
  local g_name=$1 g_f g_mine
  g_read_lock "$g_name" || return 1
  g_state_of
  if [[ $g_word == held || ($g_word == stale && ${g_facts[1]} != "${6-}") ]]; then
    g_tell
    return 3
  fi
  # Of a process that we may not see (root's, where /proc hides others) only the number is known.
  g_start_of "$2" || { g_alive "$2" 0 && g_start=0; } || return 2
  printf -v g_now '%(%s)T' -1
  g_token=$g_now-$2-$RANDOM$RANDOM
  g_write_aside "$g_token" "$2" "$g_start" "$g_boot" "$g_now" "$3" "${4:-${SSH_CONNECTION%% *}}" "$5" || return 1
  g_mine=$((g_top + 1))
  if ln -T -- "$g_aside" "$g_folder/$g_name.$g_mine" 2>/dev/null; then
    rm -f -- "$g_aside"
    g_read_lock "$g_name"
    if ((g_top == g_mine)); then
      for g_f in "$g_folder/$g_name".*; do
        [[ ${g_f##*.} == +([0-9]) && ${g_f##*.} -lt $g_mine ]] && rm -f -- "$g_f"
      done
      printf '%s\0' taken "$g_token"
      return 0
    fi
    # Others have come and gone since we looked: ours was a number of old.
    rm -f -- "$g_folder/$g_name.$g_mine"
  else
    rm -f -- "$g_aside"
    [[ -d $g_folder && -w $g_folder ]] || return 1
  fi
  g_read_lock "$g_name" || return 1
  g_state_of
  # Whoever was faster may be done already: `free` tells the caller to try again.
  g_tell
  return 3
}

g_free() { # NAME TOKEN
  g_read_lock "$1" || return 1
  ((g_top)) && [[ ${g_facts[1]} == "$2" ]] || return 4
  g_write_aside free 0 0 0 0 '' '' '' || return 1
  mv -T -- "$g_aside" "$g_folder/$1.$g_top"
}

g_hold() { # NAME SECONDS WHO FROM WHAT: what it is held for may go on when the client is gone
  local g_pid g_rc
  [[ $2 == +([0-9]) ]] || return 2
  nohup sleep "$2" </dev/null >/dev/null 2>&1 &
  g_pid=$!
  g_take "$1" "$g_pid" "${@:3:3}"
  g_rc=$?
  ((g_rc == 0)) || kill -KILL "$g_pid"
  return "$g_rc"
}

g_release() { # NAME TOKEN
  g_read_lock "$1" || return 1
  local -a g_held=("${g_facts[@]}")
  g_free "$1" "$2" || return
  g_alive "${g_held[2]}" "${g_held[3]}" && kill -KILL "${g_held[2]}" 2>/dev/null
  return 0
}

g_list() {
  local g_f g_name
  local -A g_seen=()
  for g_f in "$g_folder"/*; do
    g_name=${g_f##*/} g_name=${g_name%.*}
    [[ ${g_f##*.} == +([0-9]) && -z ${g_seen[$g_name]-} ]] || continue
    g_seen[$g_name]=1
    g_read_lock "$g_name" || continue
    g_state_of
    [[ $g_word == free ]] && continue
    printf '%s\0' "$g_name"
    g_tell
  done
}

g_main() {
  umask 077
  shopt -s nullglob extglob
  # Beside the folders of all repositories that this user has on the host.
  g_folder=${BASH_SOURCE[0]%/*}/../../locks
  mkdir -p -- "$g_folder" || return 1
  IFS= read -r g_boot </proc/sys/kernel/random/boot_id
  case ${1-},$# in
    take,[67]) g_take "${@:2}" ;;
    free,3) g_free "$2" "$3" ;;
    hold,6) g_hold "${@:2}" ;;
    release,3) g_release "$2" "$3" ;;
    show,2) g_read_lock "$2" && g_state_of && g_tell ;;
    list,1) g_list ;;
    *) return 2 ;;
  esac
}

LC_ALL=C
g_main "$@"
exit
