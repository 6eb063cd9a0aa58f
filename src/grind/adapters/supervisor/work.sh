# The work itself, detached from whoever asked for it.

# The guard holds the lock and starts the worker; when the worker is killed, the guard goes back.
# When both are killed, or the host is, the record tells the next one who comes (`repair`).
g_run() {
  exec {g_busy}>>"$g_home/busy"
  flock -w 10 "$g_busy" || exit 75
  # Whoever waited for it may have given up, and said that nothing was touched.
  g_last_of "$g_id" && [[ $g_phase == begun ]] || exit 75
  if ! g_take_host_lock; then
    g_record refused "reason=$g_why"
    exit 3
  fi
  g_boot_id
  g_record working "boot=$g_boot" "guard=$$" ${g_followed:+"followed=$g_followed"}
  (
    trap '' HUP
    g_work
  ) &
  printf '%s %s\n' "$$" "$!" >"$g_folder/pids"
  wait "$!"
  g_last_of "$g_id"
  g_is_final "$g_phase" || g_recover 'the supervisor was killed'
}

g_work() {
  # Space that is kept back, so that what happens can be told when the disk is full.
  head -c 65536 /dev/zero >"$g_home/reserve" || {
    g_record refused 'reason=the disk of the state folder is full'
    return
  }
  if ! g_record switching; then
    g_record refused 'reason=the record could not be written'
    return
  fi
  g_to_new
  g_switch_rc=$g_rc
  if [[ $g_why ]]; then
    g_go_back "$g_why"
    return
  fi
  g_record switched "rc=$g_rc" "failed=${g_failed[*]-}" "newly=${g_new_failures[*]-}"
  g_wait_for_word
}

g_wait_for_word() { # until the acknowledgement, a red light, or the deadline
  local g_end g_byte g_wake
  g_uptime
  g_end=$((g_up + g_deadline * 100))
  exec {g_wake}<>"$g_folder/wake"
  g_record waiting "seconds=$g_deadline"
  while :; do
    if [[ -e $g_folder/ack ]]; then
      g_record acknowledged "generation=$(g_generation_now)"
      rm -f -- "$g_home/reserve"
      return
    fi
    if [[ -e $g_folder/red ]]; then
      g_red=
      IFS= read -r g_red <"$g_folder/red"
      break
    fi
    g_uptime
    ((g_up >= g_end)) && {
      g_red="nobody acknowledged within $g_deadline seconds"
      break
    }
    IFS= read -r -N 1 -t 0.5 -u "$g_wake" g_byte
  done
  if [[ $g_otherwise == keep ]]; then
    g_record kept "reason=$g_red"
    rm -f -- "$g_home/reserve"
  else
    exec {g_wake}>&-
    g_go_back "$g_red"
  fi
}

g_generation_now() {
  [[ $g_kind == nixos ]] && g_number_of "$g_profile"
}

g_go_back() { # REASON
  local g_bad
  g_bad=$(g_generation_now)
  [[ $g_bad == "$g_generation" ]] && g_bad=
  g_record going-back "reason=$1" "generation=$g_bad" "rc=${g_switch_rc--}" "newly=${g_new_failures[*]-}"
  g_mark_bad "$g_bad" "$1"
  g_to_old
  if [[ $g_why ]]; then
    g_record rollback-failed "reason=$g_why" "rc=$g_rc"
  else
    g_record rolled-back "reason=$1" "rc=$g_rc" "generation=$(g_generation_now)"
  fi
  rm -f -- "$g_home/reserve"
}

# A bad generation stays in the profile, with a mark, and a root of its own against the collector.
g_mark_bad() { # GENERATION REASON
  local g_name=${1:-$g_id}
  printf '%s\n%s\n%s\n' "$g_new" "$g_id" "$2" >"$g_home/bad/$g_name" 2>/dev/null
  [[ $g_kind != nixos ]] || g_do nix-store --realise "$g_new" --add-root "$g_home/bad/$g_name-link" --indirect
}

g_recover() { # REASON: what a killed supervisor left is brought to an end
  local g_was=$g_phase
  g_wait_for_orphan
  g_switch_rc=-
  case $g_was in
    begun | working) g_record refused "reason=$1 before anything was changed" ;;
    *)
      if [[ $g_otherwise == keep ]]; then g_record kept "reason=$1"; else g_go_back "$1"; fi
      ;;
  esac
}
