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
  local g_pid
  for g_pid in $g_pushers; do kill -KILL -- "-$g_pid" 2>/dev/null; done
}

g_follow() { # LANE RECORDS LOG: from these offsets on
  g_lane=$1
  # It may have been asked for a moment before the lane itself.
  g_when=$SECONDS
  until [[ -e $g_lane/log ]]; do
    IFS= read -r -t 0.01 g_word || (($? > 128 && SECONDS - g_when <= ${g_lifeline%.*} + 1)) || exit 0
  done
  # Each is a group of its own. `--pid` ends them also when this process is killed.
  tail -c "+$(($3 + 1))" -f --pid=$$ -- "$1/log" </dev/null 2>/dev/null &
  g_pushers=$!
  g_push_records "$2" >&2 &
  g_pushers+=" $!"
  while IFS= read -r -t "$g_lifeline" g_word; do :; done
  exit 0
}

g_push_records() { # OFFSET: and a sign of life every second, and why it ends
  local g_line= g_more g_rc
  g_boot_id
  while :; do
    IFS= read -r -t 1 g_more
    g_rc=$? g_line+=$g_more
    if ((g_rc == 0)); then
      printf 'r %s %s\n' "${#g_line}" "$g_line"
      g_line=
      continue
    fi
    g_why_lost "$g_lane"
    if [[ $g_reason ]]; then
      # What was written between our last look and the end.
      if IFS= read -r -t 0.2 g_more; then
        g_line+=$g_more
        printf 'r %s %s\n' "${#g_line}" "$g_line"
        g_line=
        continue
      fi
      printf 'l %s %s\n' "${#g_reason}" "$g_reason"
    else
      printf 'h\n'
    fi
    # The follower has ended by itself: there is nothing to wait on.
    ((g_rc > 128)) || sleep 1
  done < <(exec tail -c "+$(($1 + 1))" -f --pid=$$ -- "$g_lane/records" 2>/dev/null)
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
