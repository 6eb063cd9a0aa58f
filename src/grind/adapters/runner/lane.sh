# The lane: work through the queue, leave nothing behind.

g_begin_lane() { # wait for the environment; false when the lane is over before it
  local g_pair
  until [[ -e $g_lane/env ]]; do
    g_attend
    [[ $g_status == cancelled ]] && return 1
    g_await_client
  done
  mapfile -d '' -t g_begin <"$g_lane/env"
  for g_pair in "${g_begin[@]}"; do g_given[${g_pair%%=*}]=1; done
  g_add_user
  g_env_changed=1
  [[ -z $g_limit || $g_status == cancelled ]] || g_end_in "$g_limit"
}

# A client that has opened a lane brings the repository and then the environment, which may take long. One
# that is gone never does. Whoever can begin the lane is a process here: a session of this state folder
# (which ends when its client is not heard of), or a client on this machine. Looks are counted, and not the
# time between them: a machine that slept has not waited.
g_await_client() { # a wake-up, or one look
  local g_look g_f
  printf -v g_look '%d.%03d' $((g_alone / 1500)) $((g_alone * 10 / 15 % 1000))
  IFS= read -r -t "$g_look" -u "$g_wake" g_reply
  (($? > 128)) || return 0
  for g_f in "$g_state"/sessions/here.*-* "$g_lane"/here.*-*; do
    g_f=${g_f##*/here.}
    if g_alive "${g_f#*-}" "${g_f%-*}"; then
      g_looks=0
      return
    fi
  done
  ((++g_looks < 15)) || [[ -e $g_lane/env ]] || g_lost 'nobody began the job, and the client that opened it is gone; run the same command again'
}

# Who runs the job, as a service manager says it (systemd.exec(5)). Without SHELL, every bash of a step
# looks its user up.
g_add_user() {
  local g_user='\u'
  [[ ${g_given[SHELL]+x} ]] || g_begin+=("SHELL=$BASH")
  g_user=${g_user@P}
  # "I have no name!", says bash of a user who is not in the list.
  [[ $g_user != *[!A-Za-z0-9._-]* ]] || return 0
  [[ ${g_given[USER]+x} ]] || g_begin+=("USER=$g_user")
  [[ ${g_given[LOGNAME]+x} ]] || g_begin+=("LOGNAME=$g_user")
}

g_idle_once() { # nothing to do: sleep until a client or a deadline wakes us
  g_attend
  [[ $g_over ]] && return 1
  IFS= read -r -u "$g_wake" g_reply || g_nap 0.2
  return 0
}

g_next_batch() { # → g_batch; batches are named by their first index, `~` says that none follows
  local g_f g_twice
  printf -v g_batch '%s/queue/%08d' "$g_lane" "$((g_last + 1))"
  if [[ ! -e $g_batch ]]; then
    g_batch=
    # Twice: a folder read while names are added may show a later name and miss an earlier one.
    for g_twice in 1 2; do
      for g_f in "$g_lane"/queue/*; do
        [[ ${g_taken[$g_f]-} ]] && continue
        g_batch=$g_f
        break
      done
      [[ $g_batch ]] || return 1
    done
  fi
  g_taken[$g_batch]=1
}

g_work() {
  g_begin_lane || return 0
  until [[ $g_final ]]; do
    if g_next_batch; then g_run_batch; else g_idle_once || break; fi
  done
}

g_main_run() {
  g_open_log
  g_work
  g_join_all
  # What reads the log ends while we look for others.
  exec {g_out}>&-
  g_end_processes "$$" || g_lost 'processes that the steps left could not be ended'
  g_drop_scripts "$g_scripts" &
  g_finish_log || g_lost 'the log could not be written (is the disk full?)'
  g_time
  g_record done "$g_status" "$g_now"
  g_tell_follower
  kill -KILL "$g_guard_pid" 2>/dev/null
  exit 0
}

g_finish_log() { # when all that could write is gone, and what was written has been appended, the logs are complete
  local g_round=0 g_cat
  for g_cat in "${g_cats[@]}" "$g_log_pid"; do
    while g_is_writing "$g_cat"; do
      if ((g_round++ < 50)); then g_nap 0.001; else g_nap 0.01; fi
      # A process of another user may hold the pipe for ever.
      ((g_round < 300)) || { kill -KILL "$g_cat" 2>/dev/null; break; }
    done
  done
  ((g_round < 300)) || return 0
  wait "$g_log_pid"
}

g_is_writing() { # PID: still what appends to a log, and not another that has its number now
  g_stat "$1" && [[ ${g_st[0]} != Z && ${g_st[1]} == "$$" ]]
}

g_lane_is_over() { # LANE
  # Without a claim no runner ever began it.
  g_read_claim "$1" || return 0
  [[ $g_claim_boot != "$g_boot" ]] || ! g_alive "$g_claim_pid" "$g_claim_start"
}

g_run_is_over() { # RUN
  local g_f
  for g_f in "$1"/*; do g_lane_is_over "$g_f" || return 1; done
}

# Called as a program of its own: remove what is older than AGE seconds, but the newest KEEP runs.
g_main_collect() { # STATE AGE KEEP
  local g_when g_f g_limit g_newest=$3
  local -a g_runs=("$1"/runs/*) g_jobs=("$1"/jobs/*) g_sorted
  g_boot_id
  g_time
  g_limit=$((${g_now%.*} - $2)) g_track=collect-$$ g_lane=
  exec {g_wake}<>"$1/idle"
  # Of runners that were killed.
  for g_f in "/dev/shm/grind.$EUID."*; do
    g_when=${g_f#"/dev/shm/grind.$EUID."}
    [[ ! -O $g_f || -d /proc/${g_when%%.*} ]] || rm -f -- "$g_f"
  done
  if ((${#g_runs[@]})); then
    mapfile -t g_sorted < <(stat -c '%Y %n' -- "${g_runs[@]}" | sort -rn)
    for g_f in "${g_sorted[@]:g_newest}"; do
      g_when=${g_f%% *} g_f=${g_f#* }
      if ((g_when <= g_limit)) && g_run_is_over "$g_f"; then g_empty "$g_f"; fi
    done
  fi
  for g_f in "${g_jobs[@]}"; do
    g_when=$(stat -c %Y -- "$g_f"/owner.* | sort -rn)
    # Taken as a lane would take it, so that none moves in meanwhile.
    if ((${g_when%%$'\n'*} <= g_limit)) && g_claim_job "$g_f"; then g_empty "$g_f"; fi
  done 2>/dev/null
  return 0
}

g_main() {
  case $1 in
    run)
      [[ -z ${3-} ]] || g_open_told "$2"
      g_main_run
      ;;
    kill)
      shift
      g_main_kill "$@"
      ;;
    collect)
      shift
      g_main_collect "$@"
      ;;
    *) exit 2 ;;
  esac
}

g_main "$@"
exit
