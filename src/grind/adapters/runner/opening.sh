# The beginning of a lane, run before the rest of the program has been read: whoever opens it waits for
# the facts that come out of this, and has to bring the environment and the first steps then.

g_claim_lane() { # of two runners started for one lane, one goes on
  g_stat "$$" && g_since=${g_st[19]} && g_boot_id && g_write_new "$g_lane/claim" '%s %s %s ;\n' "$$" "$g_since" "$g_boot"
}

# A job folder belongs to one lane at a time: the highest numbered `owner.N` says to which. A number
# is made once (O_EXCL) and only ever followed by a higher one, so that two cannot steal a dead owner.
g_claim_job() { # FOLDER → status 1 when a living lane has it; g_stale: what may be removed then
  local g_top=0 g_f g_owner g_since
  g_stale=()
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
  g_write_new "$1/owner.$((g_top + 1))" '%s\0' "$$" "${g_st[19]}" "$g_boot" "$g_track" "$g_lane" || return 1
  for g_f in "$1"/owner.*; do
    [[ ${g_f##*.} -gt $((g_top + 1)) ]] && return 1
    [[ ${g_f##*.} == "$((g_top + 1))" ]] || g_stale+=("$g_f")
  done
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

g_empty_all() { # FOLDER...: all at once, which is the usual case
  local g_f
  local -a g_there=()
  for g_f; do
    if [[ -L $g_f || -e $g_f ]]; then g_there+=("$g_f"); fi
  done
  ((${#g_there[@]} == 0)) || rm -rf --one-file-system -- "${g_there[@]}" 2>/dev/null && return
  for g_f in "${g_there[@]}"; do g_empty "$g_f" || return; done
}

g_plain_path() { # BASE PATH: is every part below BASE a folder, and none a link to elsewhere?
  local g_at=$1 g_rest=$2
  [[ -d $g_at && ! -L $g_at ]] || return 1
  while [[ $g_rest ]]; do
    g_at+=/${g_rest%%/*}
    [[ -d $g_at && ! -L $g_at ]] || return 1
    [[ $g_rest == */* ]] || break
    g_rest=${g_rest#*/}
  done
}

# When the next lane begins, the files of the last one's checkouts are moved out of the workspace.
# The deepest first: `a/b` sorts after `a`.
g_set_aside() { # → more in g_stale
  local g_i g_path
  local -a g_kept
  g_kept=("$g_job"/kept/r*)
  for ((g_i = ${#g_kept[@]} - 1; g_i >= 0; g_i--)); do
    # What the last run did not use is old.
    g_empty "${g_kept[g_i]}/tree"
    g_path=
    { IFS= read -r -d '' g_path <"${g_kept[g_i]}/path"; } 2>/dev/null
    if [[ -f ${g_kept[g_i]}/index && ! -L $g_job/work && ! -L $g_job/work/$g_name ]] && g_plain_path "$g_workspace" "$g_path" &&
      mv -T -- "$g_workspace${g_path:+/$g_path}" "${g_kept[g_i]}/tree"; then
      g_stale+=("${g_kept[g_i]}/tree/.git")
      continue
    fi
    g_empty "${g_kept[g_i]}"
  done
}

g_take_job() { # → where the job lives
  local g_slot=1
  g_job=$g_state/jobs/$g_key
  until { [[ -d $g_job ]] || mkdir -p -- "$g_job"; } && g_claim_job "$g_job"; do
    ((g_slot++ < 100)) || g_lost 'no folder of the job can be had (is the disk full, or are there a hundred?)'
    g_job=$g_state/jobs/$g_key~$g_slot
  done
  g_workspace=$g_job/work/$g_name/$g_name g_home=$g_job/home g_temp=$g_job/work/_temp g_tools=$g_job/tools
  printf '%s\0' "$$" "$g_workspace" "$g_home" "$g_temp" "$g_tools" "$g_lane/events" end >"$g_lane/lane" ||
    g_lost 'the facts of the lane could not be written (is the disk full?)'
  # Whoever opens the lane naps there.
  printf '\n' 1<>"$g_lane/idle"
}

g_make_folders() { # nobody else can enter the job's folder, whatever is in it
  g_set_aside
  g_empty_all "${g_stale[@]}" "$g_home" "$g_job/work" && umask 022 && mkdir -p -- "$g_workspace" "$g_home" "$g_temp" "$g_tools" ||
    g_lost 'the folders of the job could not be made (is the disk full?)'
  umask 077
}

# Where the scripts of the steps are. In memory where that can be had: a new file costs a disk up to a millisecond
# (ext4 looks for a name that nobody has used lately), and each step has one. Their text is in the queue too.
g_choose_scripts() { # → g_scripts: what their paths begin with
  g_scripts=$g_lane/s/
  if [[ -d /dev/shm && -w /dev/shm && -k /dev/shm ]]; then g_scripts=/dev/shm/grind.$EUID.$$.; fi
}

g_start_guard() {
  # The runner says nothing but records: a redirection would cost each of them more than its line does.
  exec {g_life}<>"$g_lane/life" {g_wake}<>"$g_lane/wake" >>"$g_lane/records"
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

g_open_told() { # LANE: it is there as soon as a word comes on the input
  { IFS= read -r -t 60 g_reply && [[ $g_reply == go ]]; } || exit 0
  exec </dev/null
  g_open_run "$1"
}

g_open_run() { # LANE
  g_lane=$1
  g_read_spec || exit 2
  trap 'g_signalled=1 g_asked=1' TERM
  trap 'g_signalled=1' USR1 HUP
  # A log that is gone is an error of a builtin, not our end. A handler, so that steps do not ignore it.
  trap : PIPE
  g_claim_lane || exit 0
  g_tracking=${g_outer:+$g_outer/}$g_track
  g_choose_scripts
  g_start_guard
  g_take_job
  g_note_processes
  g_make_folders
}

g_open() {
  umask 077
  set -m
  shopt -s nullglob extglob
  export -n PATH PWD OLDPWD SHLVL LC_ALL RUNNER_TRACKING_ID
  unset -v RUNNER_TRACKING_ID CDPATH OLDPWD
  # Of however many shells this one is the innermost: what a step begins with is the first.
  SHLVL=1
  g_env_program=$(type -P env)
  declare -g g_status=success g_pid= g_signalled= g_asked= g_over= g_final= g_last=-1 g_reason=
  declare -g g_step_end= g_lane_end= g_env_changed=1 g_bash= g_when= g_guard_pid= g_files= g_set= g_log_pid= g_waits= g_since=0 g_looks=0
  declare -ga g_paths=() g_begin=() g_base_plain=() g_base_special=() g_beside=() g_forgiven=() g_joined=() g_bad_scripts=() g_on_disk=() g_cats=() g_no_bash=()
  declare -gA g_written=() g_given=() g_taken=()
  # `wait -f`, which a stopped step does not end, is of bash 5.
  ((BASH_VERSINFO[0] < 5)) || g_waits=1
  # Who has to wait for a word reads on meanwhile.
  if [[ $1 == run && -z ${3-} ]]; then g_open_run "$2"; fi
}

LC_ALL=C
g_open "$@"
