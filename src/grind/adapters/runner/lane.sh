# The lane: claim it, make its folders, work through the queue, leave nothing behind.

g_claim_lane() { # of two runners started for one lane, one goes on
  g_stat "$$" && g_since=${g_st[19]} && g_boot_id && (set -C && printf '%s %s %s ;\n' "$$" "${g_st[19]}" "$g_boot" >"$g_lane/claim") 2>/dev/null
}

# A job folder belongs to one lane at a time: the highest numbered `owner.N` says to which. A number
# is made once (O_EXCL) and only ever followed by a higher one, so that two cannot steal a dead owner.
g_claim_job() { # FOLDER → status 1 when a living lane has it
  local g_top=0 g_f g_owner g_since
  for g_f in "$1"/owner.*; do [[ ${g_f##*.} -gt $g_top ]] && g_top=${g_f##*.}; done
  if ((g_top)); then
    g_owner=()
    mapfile -d '' -t g_owner <"$1/owner.$g_top"
    # Written a moment after it is made: an empty one is taken for living, then for dead.
    ((${#g_owner[@]} == 5)) || { g_nap 0.5; mapfile -d '' -t g_owner <"$1/owner.$g_top"; }
    if ((${#g_owner[@]} == 5)) && [[ ${g_owner[2]} == "$g_boot" ]]; then
      g_alive "${g_owner[0]}" "${g_owner[1]}" && return 1
      g_since=${g_owner[1]}
      g_has_ended_well "${g_owner[4]}" ||
        g_kill_found "${g_owner[3]}" '' "$$" "$g_guard_pid" || return 1
    fi
  fi
  g_stat "$$"
  (set -C && printf '%s\0' "$$" "${g_st[19]}" "$g_boot" "$g_track" "$g_lane" >"$1/owner.$((g_top + 1))") 2>/dev/null || return 1
  for g_f in "$1"/owner.*; do [[ ${g_f##*.} -gt $((g_top + 1)) ]] && return 1; done
  ((g_top)) && rm -f -- "$1/owner.$g_top"
  return 0
}

g_has_ended_well() { # LANE: it has said so, and then had made sure that it left no process
  local -a g_told=()
  { mapfile -t g_told <"$1/records"; } 2>/dev/null
  [[ ${#g_told[@]} != 0 && ${g_told[-1]} == done\ *' ;' ]]
}

g_empty() { # FOLDER: whatever modes a step left in it
  [[ -L $1 || -e $1 ]] || return 0
  rm -rf --one-file-system -- "$1" 2>/dev/null && return
  chmod -R u+rwX -- "$1" 2>/dev/null
  rm -rf --one-file-system -- "$1" 2>/dev/null && return
  # Not ours to delete (a step became another user): out of the way at least.
  g_time
  mv -T -- "$1" "$1.stuck.$g_now"
}

g_make_folders() {
  local g_slot=1
  g_job=$g_state/jobs/$g_key
  until mkdir -p -- "$g_job" && g_claim_job "$g_job"; do
    ((g_slot++ < 100)) || g_lost 'no folder of the job can be had (is the disk full, or are there a hundred?)'
    g_job=$g_state/jobs/$g_key~$g_slot
  done
  g_workspace=$g_job/work/$g_name/$g_name g_home=$g_job/home g_temp=$g_job/work/_temp g_tools=$g_job/tools
  g_set_aside
  g_empty "$g_home" && g_empty "$g_job/work" && mkdir -p -- "$g_workspace" "$g_home" "$g_temp" "$g_tools" ||
    g_lost 'the folders of the job could not be made (is the disk full?)'
  chmod 0755 -- "$g_job/work" "$g_job/work/$g_name" "$g_workspace"
  printf '%s\0' "$$" "$g_workspace" "$g_home" "$g_temp" "$g_tools" "$g_lane/events" end >"$g_lane/lane" ||
    g_lost 'the facts of the lane could not be written (is the disk full?)'
}

g_begin_lane() { # wait for the environment; false when the lane is over before it
  local g_pair
  until [[ -e $g_lane/env ]]; do
    g_idle_once || return 1
  done
  mapfile -d '' -t g_begin <"$g_lane/env"
  for g_pair in "${g_begin[@]}"; do g_given[${g_pair%%=*}]=1; done
  g_add_user
  g_env_changed=1
  [[ -z $g_limit || $g_status == cancelled ]] || g_end_in "$g_limit"
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
  [[ $g_status == cancelled && ! -e $g_lane/env ]] && return 1
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

g_start_guard() {
  exec {g_life}<>"$g_lane/life" {g_wake}<>"$g_lane/wake" {g_rec}>>"$g_lane/records"
  g_guard 2>/dev/null </dev/null &
  g_guard_pid=$!
  # Until the job begins (its repository may still be on the way), as long as GitHub lets a job run.
  [[ -z $g_limit ]] || g_end_in "$((g_limit > 2160000 ? g_limit : 2160000))"
}

g_end_in() { # CENTISECONDS: the time of the lane
  g_uptime
  g_lane_end=$((g_up + $1))
  printf 'lane %s\n' "$g_lane_end" >&"$g_life"
}

g_main_run() { # LANE
  g_lane=$1
  g_read_spec || exit 2
  trap 'g_signalled=1 g_asked=1' TERM
  trap 'g_signalled=1' USR1 HUP
  # A log that is gone is an error of a builtin, not our end. A handler, so that steps do not ignore it.
  trap : PIPE
  g_claim_lane || exit 0
  g_tracking=${g_outer:+$g_outer/}$g_track
  g_start_guard
  g_make_folders
  g_open_log
  g_work
  g_join_all
  g_end_processes "$$" || g_lost 'processes that the steps left could not be ended'
  g_close_log || g_lost 'the log could not be written (is the disk full?)'
  g_time
  g_record done "$g_status" "$g_now"
  kill -KILL "$g_guard_pid" 2>/dev/null
  exit 0
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
  umask 077
  set -m
  shopt -s nullglob extglob
  export -n PATH PWD OLDPWD SHLVL LC_ALL RUNNER_TRACKING_ID
  unset -v RUNNER_TRACKING_ID CDPATH OLDPWD
  g_env_program=$(type -P env)
  declare -g g_status=success g_pid= g_signalled= g_asked= g_over= g_final= g_last=-1 g_reason=
  declare -g g_step_end= g_lane_end= g_env_changed=1 g_when= g_guard_pid= g_files= g_set= g_log_pid= g_waits= g_since=0
  declare -ga g_paths=() g_begin=() g_base_plain=() g_base_special=() g_beside=() g_forgiven=() g_joined=() g_bad_scripts=() g_cats=()
  declare -gA g_written=() g_given=() g_taken=()
  # `wait -f`, which a stopped step does not end, is of bash 5.
  ((BASH_VERSINFO[0] < 5)) || g_waits=1
  case $1 in
    run) g_main_run "$2" ;;
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

LC_ALL=C
g_main "$@"
exit
