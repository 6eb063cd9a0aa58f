# The follower at the host's end: one session per lane, which pushes what its runner writes.
#
# The log goes to the standard output as it is, from an offset on; records go to the standard error, one
# a line, each with its length. The standard input is the lifeline: a client that is not heard of for
# a while is gone, or the network is, and then nothing of this may stay.

g_main_follow() { # [LANE RECORDS LOG WORD]: without them, wait until there is a lane to follow
  local g_word
  trap g_end_follow EXIT
  trap 'exit 0' HUP TERM INT PIPE
  if (($#)); then
    # What the login has printed ends here.
    printf '\n%s 0\n' "$4"
    g_follow "$1" "$2" "$3"
  fi
  while IFS= read -r -t "$g_lifeline" g_word; do
    case $g_word in
      follow)
        mapfile -d '' -t -n 3 g_a
        g_follow "${g_a[@]}"
        ;;
    esac
  done
  exit 0
}

g_end_follow() {
  trap - EXIT
  [[ -z $g_pusher ]] || kill -KILL -- "-$g_pusher" 2>/dev/null
}

g_follow() { # LANE RECORDS LOG: from these offsets on
  g_lane=$1
  # It may have been asked for a moment before the lane itself.
  g_when=$SECONDS
  until [[ -e $g_lane/log ]]; do
    IFS= read -r -t 0.01 g_word || (($? > 128 && SECONDS - g_when <= ${g_lifeline%.*} + 1)) || exit 0
  done
  # A group of its own: whoever writes may be kept waiting for ever, and this one never is.
  g_push "$2" "$3" </dev/null &
  g_pusher=$!
  while IFS= read -r -t "$g_lifeline" g_word; do :; done
  exit 0
}

# What was written is looked for every moment, instead of being told of each write: of a job of small steps a
# hundred a second come, and each of them would wake four processes on two machines. Naps are counted, and not
# the time: a clock may be set.
g_push() { # RECORDS LOG
  local g_records g_log g_part= g_long= g_nap=0.020 g_new= g_quiet=0 g_beat=0 g_still=$g_lane/still
  g_boot_id
  # Where the runner tells that the client may be waiting. With several followers one of them hears it. A lane of
  # an older grind has none.
  [[ -p $g_still ]] || g_still=$g_lane/idle
  exec {g_wake}<>"$g_still" {g_records}<"$g_lane/records" {g_log}<"$g_lane/log"
  (($1 == 0)) || head -c "$1" <&"$g_records" >/dev/null
  (($2 == 0)) || head -c "$2" <&"$g_log" >/dev/null
  while :; do
    g_push_new
    # Where something comes, more will have come in a moment, and a person sees no sooner; where nothing does any
    # more, it may be the end that comes; and where nothing has come for two seconds, nobody waits for this very moment.
    if [[ $g_new ]]; then g_quiet=0; fi
    case $((g_quiet++)) in
      0) g_nap=0.020 ;;
      1) g_nap=0.002 ;;
      100) g_nap=0.005 ;;
      450) g_nap=0.050 ;;
    esac
    g_nap "$g_nap"
    ((g_beat += 10#${g_nap#0.}, g_beat >= 1000)) || continue
    g_beat=0
    # Whoever listens for us may have been killed.
    kill -0 "$$" 2>/dev/null || exit
    g_say_how_it_is
  done
}

g_say_how_it_is() { # a sign of life, or why it has ended
  g_why_lost "$g_lane"
  if [[ $g_reason ]]; then
    # What was written between our last look and the end.
    g_push_new
    printf 'l %s %s\n' "${#g_reason}" "$g_reason" >&2
  else
    printf 'h\n' >&2
  fi
}

# The log is pushed before the records that were there before it: what they say of it is there then.
g_push_new() { # → g_new: empty when nothing was
  local -a g_said=()
  g_take_records
  g_new=${g_said[0]-}
  g_push_log && g_new=1
  ((${#g_said[@]} == 0)) || printf 'r %s %s' "${g_said[@]}" >&2
}

g_take_records() { # → g_said: length and text of those that are there now
  local g_line
  local -a g_lines
  mapfile -u "$g_records" g_lines
  ((${#g_lines[@]})) || return 0
  g_lines[0]=$g_part${g_lines[0]} g_part=
  if [[ ${g_lines[-1]} != *$'\n' ]]; then
    g_part=${g_lines[-1]}
    unset -v 'g_lines[-1]'
  fi
  for g_line in "${g_lines[@]}"; do g_said+=("$((${#g_line} - 1))" "$g_line"); done
}

# Bash reads a file in blocks; what is between two NULs is a piece. What is long is for a process of its own,
# which goes on where we are: a descriptor has one position, whoever has it.
g_push_log() { # what is there of it now; fails when there is nothing
  local g_piece= g_left=65536
  local -a g_pieces=()
  if [[ $g_long ]]; then
    kill -0 "$g_long" 2>/dev/null && return
    wait "$g_long"
    g_long=
  fi
  while IFS= read -r -d '' -n "$g_left" -u "$g_log" g_piece; do
    if ((${#g_piece} == g_left)); then g_long=1; break; fi
    g_pieces+=("$g_piece")
    ((g_left -= ${#g_piece} + 1, g_left && ${#g_pieces[@]} < 1000)) || { g_piece= g_long=1; break; }
  done
  ((${#g_pieces[@]} + ${#g_piece})) || return
  ((${#g_pieces[@]} == 0)) || printf '%s\0' "${g_pieces[@]}"
  printf %s "$g_piece"
  if [[ $g_long ]]; then
    cat <&"$g_log" &
    g_long=$!
  fi
}

g_why_lost() { # LANE → g_reason: why it has no runner; empty while it has one, or none has started
  g_reason=
  g_read_claim "$1" || return 0
  if [[ $g_claim_boot != "$g_boot" && $g_claim_pid != 0 ]]; then
    g_reason='the host was rebooted'
    return
  fi
  ((g_claim_pid)) && g_alive "$g_claim_pid" "$g_claim_start" && return
  IFS= read -r g_reason <"$1/lost"
  g_reason=${g_reason%%+( )}
  [[ $g_reason ]] && return
  if [[ $(stat -f -c %a -- "$1") == 0 ]]; then g_reason='the disk of the host is full'; else g_reason='the runner was killed'; fi
}
