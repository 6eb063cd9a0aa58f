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

g_answer() { # CODE OUT ERR
  local g_o=${2//'\'/'\\'} g_e=${3:0:600}
  g_o=${g_o//$'\n'/'\n'} g_e=${g_e//'\'/'\\'}
  printf '%s %s %s %s%s\n' "$g_id" "$1" "${#g_o}" "$g_o" "${g_e//$'\n'/'\n'}"
}

g_encoded() { # KIND: the standard input, in pieces
  base64 -w 3000 | while IFS= read -r g_piece; do printf '%s %s %s %s\n' "$g_id" "$1" "${#g_piece}" "$g_piece"; done
}

g_answer_files() { # CODE OUT ERR: what a command has said is in files
  local g_o= g_e=
  if [[ -s $2 ]] && IFS= read -r -d '' -n 1301 g_o <"$2"; then g_encoded o <"$2"; g_o=; fi
  if [[ -s $3 ]] && IFS= read -r -d '' -n 601 g_e <"$3"; then g_encoded e <"$3"; g_e=; fi
  g_answer "$1" "$g_o" "$g_e"
}

g_cannot_keep() {
  g_answer 125 '' 'the state folder of the host cannot be written (is its disk full?)'
}

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
  elif ! g_take_data "$g_aside" 2>"$g_files.e"; then
    rm -f -- "$g_aside"
    g_answer_files 125 /dev/null "$g_files.e"
  elif ln -T -- "$g_aside" "${g_a[0]}" 2>"$g_files.e"; then
    g_answer 0 '' ''
  elif [[ -e ${g_a[0]} ]]; then
    g_answer 1 '' ''
  else
    g_answer_files 125 /dev/null "$g_files.e"
  fi
  [[ ${g_a[1]} ]] && g_wake "${g_a[1]}"
  rm -f -- "$g_aside" &
}

g_run_command() { # CWD N (N pairs) ARGV...; g_input holds the data
  local g_n=${g_a[1]} g_rc
  local -a g_argv g_plain=("${g_base_plain[@]}") g_special=("${g_base_special[@]}")
  g_argv=("${g_a[@]:g_n + 2}")
  ((g_n)) && g_sort_names "${g_a[@]:2:g_n}"
  ((${#g_special[@]})) && g_argv=("$g_env_program" -- "${g_special[@]}" "${g_argv[@]}")
  cd -- "${g_a[0]}" 2>/dev/null || { g_answer 127 '' "${g_a[0]}: no such folder"; return; }
  unset -v PATH OLDPWD
  # All arrays are expanded before the first name is set.
  set -- "${g_argv[@]}"
  ((${#g_plain[@]})) && export -- "${g_plain[@]}"
  if ! type -P -- "$1" >/dev/null; then
    if [[ $1 == */* && -e $1 ]]; then set -- 126 "$1: permission denied"; else set -- 127 "$1: command not found"; fi
    g_answer "$1" '' "${2:0:900}"
    return
  fi
  (exec -- "$@" <"$g_input" >"$g_files.o" 2>"$g_files.e")
  g_rc=$?
  PATH=$g_path
  g_answer_files "$g_rc" "$g_files.o" "$g_files.e"
  if [[ $g_input != /dev/null ]]; then : >"$g_input"; fi
}

g_do_run() {
  local g_input=/dev/null
  if ((g_bytes)); then
    g_input=$g_files.i
    g_take_data "$g_input" 2>/dev/null || { g_cannot_keep; return; }
  fi
  # The files of a number that was used before are there.
  if [[ ! -e $g_files.e ]]; then { : >"$g_files.o" && : >"$g_files.e"; } 2>/dev/null || { g_cannot_keep; return; }; fi
  g_run_command &
  g_jobs[g_id]=$!
}

g_do_kill() { # ID: end a command, and what it started
  local g_pid=${g_jobs[g_a[0]]-}
  if [[ $g_pid ]]; then kill -KILL -- "-$g_pid" 2>/dev/null; fi
  g_answer 0 '' ''
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
    mkdir -- "$g_session" 2>/dev/null && return
  done
  return 1
}

g_end_session() {
  trap - EXIT
  local g_pid
  for g_pid in "${g_jobs[@]}"; do kill -KILL -- "-$g_pid" 2>/dev/null; done
  rm -rf -- "$g_session" ${g_here:+"$g_here"} "$g_state"/sessions/lane.*-$$
}

g_main_serve() { # STATE PATH RUNNER
  local g_id g_kind g_count g_bytes g_line g_written_files=0
  local -a g_a g_plain g_special g_base_plain=() g_base_special=() g_jobs=()
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
      run) g_do_run ;;
      write) g_do_write ;;
      kill) g_do_kill ;;
      env)
        g_plain=() g_special=()
        g_sort_names "${g_a[@]}"
        g_base_plain=("${g_plain[@]}") g_base_special=("${g_special[@]}")
        g_answer 0 '' ''
        [[ $g_spare ]] || { g_next_spare; g_make_spare & }
        ;;
      read) g_do_read & ;;
      lane)
        g_take_data "$g_files.i" 2>/dev/null
        { g_in_files g_open_lane; g_make_later; } &
        g_next_spare
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
  done
}

g_do_keep() { # NAME: a file of bin
  g_a=("$g_state/bin/${g_a[0]}" '')
  g_do_write
}
