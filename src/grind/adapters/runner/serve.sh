# The other end of the session: answers requests that come on the standard input.
#
# A request is a line `ID KIND FIELDS BYTES`, then so many fields, each ended by NUL, then so many
# bytes of data, then a line end: without it the connection has broken in the middle. An answer is one line, `ID CODE SIZE` and the text of standard output (of that size) and
# of standard error, in which `\\` and `\n` stand for themselves. What is longer, or holds a NUL, comes
# before it in lines of base64 (`ID o SIZE TEXT`, or `e`). Bash writes a line of less than PIPE_BUF bytes at
# once, so several processes can answer at the same time.
#
# Laws: as in base.sh. What takes time is done in a fork; this loop only reads. When nothing is heard for
# a while the client is gone, or the network is: the session ends, and the lanes go on.

# What a fork says to its own outputs becomes the answer.
g_in_files() { # COMMAND...: run it with its outputs in the files of the request, and answer
  local g_rc
  { : >"$g_files.o" && : >"$g_files.e"; } 2>/dev/null || { g_cannot_keep; return; }
  ("$@") >"$g_files.o" 2>"$g_files.e" </dev/null
  g_rc=$?
  if ((g_rc)) && [[ ! -s $g_files.e && $(stat -f -c %a -- "$g_session") == 0 ]]; then
    g_answer 125 '' 'No space left on device'
    return
  fi
  g_answer_files "$g_rc" "$g_files.o" "$g_files.e"
}

g_take_data() { # FILE: all of it is read, also when it cannot be kept
  local g_rc
  if ((g_bytes == 0)); then
    : >"$1"
    return
  fi
  if ((g_bytes <= 2048)); then
    g_take_little "$1"
    return
  fi
  head -c "$g_bytes" | { cat >"$1" || { cat >/dev/null; false; }; }
  g_rc=$?
  g_is_whole || { rm -f -- "$1"; exit 0; }
  return "$g_rc"
}

# What is short is taken without a fork, although bash asks for it byte by byte.
g_take_little() { # FILE
  local g_left=$g_bytes g_piece
  local -a g_pieces=()
  while ((g_left > 0)); do
    g_piece=
    IFS= read -r -d '' -n "$g_left" g_piece || exit 0
    # All that was left, or as far as the next NUL.
    ((g_left -= ${#g_piece} + 1))
    g_pieces+=("$g_piece")
  done
  g_is_whole || exit 0
  if ((g_left == 0)); then printf '%s\0' "${g_pieces[@]}" >"$1"; return; fi
  unset -v 'g_pieces[-1]'
  { ((${#g_pieces[@]} == 0)) || printf '%s\0' "${g_pieces[@]}"; printf %s "$g_piece"; } >"$1"
}

g_skip_data() { # what is not wanted is read all the same
  ((g_bytes)) || return 0
  head -c "$g_bytes" >/dev/null
  g_is_whole || exit 0
}

g_is_whole() { # the line end behind a request
  local g_end=-
  IFS= read -r g_end && [[ -z $g_end ]]
}

g_wake() { # FIFO: without waiting, whether a runner is there or not
  if [[ -p $1 ]]; then printf '\n' 1<>"$1"; fi
}

# Write aside and link: whoever sees the name sees all, and of two writers one succeeds.
g_do_write() { # PATH WAKE; g_bytes → 0, 1 (it was there), 125
  local g_aside
  g_aside=${g_a[0]%/*}/.new.$$.$((++g_written_files))
  if [[ -e ${g_a[0]} ]]; then
    g_skip_data
    g_answer 1 '' ''
    g_aside=
  elif ! g_take_data "$g_aside" 2>"$g_files.e"; then
    rm -f -- "$g_aside"
    g_answer_files 125 /dev/null "$g_files.e"
  elif ln -T -- "$g_aside" "${g_a[0]}" 2>"$g_files.e"; then
    g_answer 0 '' ''
    # Where it goes with the lane's folder, it is not worth a fork while the lane begins.
    [[ ${g_a[1]} ]] && g_aside=
  elif [[ -e ${g_a[0]} ]]; then
    g_answer 1 '' ''
  else
    g_answer_files 125 /dev/null "$g_files.e"
  fi
  [[ ${g_a[1]} ]] && g_wake "${g_a[1]}"
  if [[ $g_aside ]]; then rm -f -- "$g_aside" & fi
}

g_do_run() { # CWD N (N pairs) ARGV...: `run` in forks of this shell, `hand` by the hands where they can
  local g_input=
  if ((g_bytes)); then
    g_input=$g_files.i
    g_take_data "$g_input" 2>/dev/null || { g_cannot_keep; return; }
  fi
  if [[ ! -e $g_files.k || -s $g_files.k ]]; then g_ready_files 2>/dev/null || { g_cannot_keep; return; }; fi
  g_numbers[g_id]=$((++g_number))
  if [[ $g_kind == hand ]] && g_hand_over; then
    g_notes[g_id]=$g_session/hand g_runners[g_id]=$g_hands_PID
    return
  fi
  g_run_here &
  g_notes[g_id]=$g_files.p g_runners[g_id]=$!
}

# The files of a number that was used before are there. What is in `p` is written over in place, which
# needs no room on the disk.
g_ready_files() {
  if [[ -e $g_files.k ]]; then
    : >"$g_files.k"
  else
    printf '%31s\n' '' >"$g_files.p" && : >"$g_files.o" && : >"$g_files.e" && : >"$g_files.k"
  fi
}

g_run_here() { # in a fork
  local g_n=${g_a[1]}
  local -a g_argv=("${g_a[@]:g_a[1] + 2}") g_plain=("${g_base_plain[@]}") g_special=("${g_base_special[@]}") g_late=()
  ((g_n)) && g_sort_names "${g_a[@]:2:g_n}"
  ((${#g_special[@]})) && g_argv=("$g_env_program" -- "${g_special[@]}" "${g_argv[@]}")
  unset -v PATH OLDPWD
  g_lend "${g_plain[@]}"
  g_note=$g_files.p
  g_carry_out g_become "${g_a[0]}" "${g_argv[@]}"
}

# A session with one command needs no hands: they begin when a second one comes, which runs here still.
g_hand_over() { # → fails where they cannot take it
  if [[ -z ${g_hands[1]-} ]]; then
    if ((++g_wanted > 1 && g_starts < 3)); then g_start_hands; fi
    return 1
  fi
  [[ ${g_a[1]} == 0 && -e $g_session/hand ]] &&
    printf '%s\0' "$g_id" "$g_number" "$g_input" "$((${#g_a[@]} - 1))" "${g_a[0]}" "${g_a[@]:2}" 2>/dev/null >&"${g_hands[1]}"
}

g_start_hands() {
  local g_out
  ((${#g_base_special[@]})) && return
  ((g_starts++ == 0)) || rm -f -- "$g_session/hand"
  printf '%s\0' "${g_base_plain[@]}" 2>/dev/null >"$g_session/env" || return
  exec {g_out}>&1
  # Bash closes the ends of its pipe in every fork: nobody but this shell keeps the hands waiting.
  coproc g_hands { exec -c -- "$BASH" --noprofile --norc "$0" hands "$g_session" "$g_path" >&"$g_out" 2>/dev/null {g_out}>&-; }
  exec {g_out}>&-
}

g_do_kill() { # ID: end a command, and what it started
  if g_end_command "${g_a[0]}"; then g_await_end & else g_answer 0 '' ''; fi
}

g_await_end() { # of the group g_pid, a moment: a signal is on its way when kill returns
  local g_round
  for ((g_round = 0; g_round < 100; g_round++)); do
    kill -0 -- "-$g_pid" 2>/dev/null || break
    sleep 0.01
  done
  g_answer 0 '' ''
}

# Whoever runs it notes the process, then looks for the mark; here the mark comes first.
g_end_command() { # ID → g_pid: its group; fails when it has not begun: it will see the mark
  local g_which=
  g_pid=
  [[ ${g_numbers[$1]-} ]] || return
  printf x >"$g_session/$1.k"
  IFS=' ' read -r g_pid g_which _ <"${g_notes[$1]}"
  [[ $g_which == "${g_numbers[$1]}" ]] || return
  kill -KILL -- "-$g_pid" 2>/dev/null || :
}

g_do_read() { # PATH OFFSET LIMIT HOW: `link` follows one, `own` does not; only regular files
  if [[ ! -f ${g_a[0]} || ( ${g_a[3]} == own && -L ${g_a[0]} ) || ! -r ${g_a[0]} ]]; then
    g_answer 1 '' ''
  elif ((g_a[1] == 0)); then
    head -c "${g_a[2]}" -- "${g_a[0]}" >"$g_files.o" 2>/dev/null
    g_answer_files 0 "$g_files.o" /dev/null
  else
    tail -c "+$((g_a[1] + 1))" -- "${g_a[0]}" 2>/dev/null | head -c "${g_a[2]}" >"$g_files.o"
    g_answer_files 0 "$g_files.o" /dev/null
  fi
}

# In memory where that can be had, so that a host with a full disk still answers.
g_make_session_folder() { # → g_session
  for g_session in "/dev/shm/grind-$EUID-$$" "$g_state/sessions/$$"; do
    # A name that is there is one of ours that was killed, or none of ours.
    [[ -O $g_session && ! -L $g_session ]] && rm -rf -- "$g_session"
    { mkdir -- "$g_session" && : >"$g_session/open"; } 2>/dev/null && return
  done
  return 1
}

g_end_session() {
  trap - EXIT
  local g_id
  # Who has begun a command and not noted it yet sees by this that the session is over, and ends it.
  rm -f -- "$g_session/open"
  for g_id in "${!g_numbers[@]}"; do
    # The answer may have nobody who reads it.
    g_end_command "$g_id" && kill -KILL -- "-${g_runners[g_id]}" 2>/dev/null
  done
  # What is still being made there is removed by whoever makes it.
  rm -rf -- "$g_session" ${g_here:+"$g_here"} "$g_state"/sessions/lane.*-$$ 2>/dev/null
}

g_main_serve() { # STATE PATH RUNNER
  local g_id g_kind g_count g_bytes g_written_files=0 g_number=0 g_wanted=0 g_starts=0 g_lent=
  local -a g_a g_plain g_special g_base_plain=() g_base_special=()
  # Not local: the end of the session needs them when this function has returned.
  declare -ga g_numbers=() g_notes=() g_runners=()
  g_state=$1 g_path=$2 g_runner=$1/bin/run/$3 g_env_program=$(type -P env)
  g_make_session_folder || exit 1
  trap g_end_session EXIT
  trap 'exit 0' HUP TERM INT
  trap : PIPE
  # What tells a lane that nobody has begun that somebody still can.
  if g_stat "$$"; then
    g_here=$g_state/sessions/here.${g_st[19]}-$$
    : 2>/dev/null >"$g_here"
  fi
  while IFS=' ' read -r -t "$g_lifeline" g_id g_kind g_count g_bytes; do
    g_a=() g_files=$g_session/$g_id
    ((g_count)) && mapfile -d '' -t -n "$g_count" g_a
    ((g_bytes)) || g_is_whole || exit 0
    case $g_kind in
      beat) g_answer 0 '' '' ;;
      run | hand) g_do_run ;;
      write) g_do_write ;;
      kill) g_do_kill ;;
      env)
        g_plain=() g_special=()
        g_sort_names "${g_a[@]}"
        g_base_plain=("${g_plain[@]}") g_base_special=("${g_special[@]}")
        g_answer 0 '' ''
        g_lent=1
        ;;
      read) g_do_read & ;;
      lane)
        g_take_data "$g_files.i" 2>/dev/null
        g_ready=$g_spare
        g_next_spare
        { g_in_files g_open_lane; g_make_later; } &
        ;;
      cancel) g_in_files g_ask_to_cancel & ;;
      end | abandon) g_in_files g_end_lanes & ;;
      collect) g_in_files g_collect_old & ;;
      walk) g_in_files g_walk_all & ;;
      sums) g_in_files g_sum_all & ;;
      identity) g_in_files g_say_identity & ;;
      keep) g_do_keep ;;
      pack) g_do_pack ;;
      *) exit 2 ;;
    esac
    # Where more has come already it may be a lane, which would be there before its folder is.
    [[ $g_spare || -z $g_lent ]] || IFS= read -r -t 0 || { g_next_spare; g_make_spare & }
  done
}

g_do_keep() { # NAME: a file of bin
  g_a=("$g_state/bin/${g_a[0]}" '')
  g_do_write
}
