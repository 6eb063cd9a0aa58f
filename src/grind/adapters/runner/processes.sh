# Whose process is it? Ending everything that the steps of a lane left behind.

g_stat() { # PID → g_st: state, ppid, pgrp, session, … flags at 6, start time at 19; fails when there is none
  local g_text= g_name
  # Split by mapfile itself: that is the fast way. With a blank in the program's name there are more words.
  { mapfile -d ' ' -s 2 -t g_st <"/proc/$1/stat"; } 2>/dev/null || { g_st=(); return 1; }
  ((${#g_st[@]} == 50)) && [[ ${g_st[0]} == [A-Za-z] ]] && return
  g_st=()
  # All at once: with a delimiter, bash reads byte by byte.
  { IFS= read -r -N 4096 g_text <"/proc/$1/stat"; } 2>/dev/null
  # The name of a program may hold blanks, parentheses and newlines: what follows the last one counts.
  # (Taking it off with `##` costs the square of its length.)
  g_name=${g_text%)*}
  [[ $g_name != "$g_text" ]] || return 1
  # Words by splitting: a here-string would be read byte by byte. Only letters and digits follow.
  local IFS=' '
  g_st=(${g_text:${#g_name}+1})
}

g_alive() { # PID START: is it this very process, and not a later one with its number?
  g_stat "$1" && [[ ${g_st[0]} != [ZX] && ${g_st[19]} == "$2" ]]
}

g_count_forks() { # → g_forks: how often this machine has forked since boot; empty when it does not say
  local g_line
  local -a g_lines=()
  g_forks=
  { mapfile -t g_lines </proc/stat; } 2>/dev/null
  for g_line in "${g_lines[@]}"; do
    if [[ $g_line == processes\ +([0-9]) ]]; then g_forks=${g_line#* }; fi
  done
}

# What runs before the first step does. Looking at each process costs the end of a lane more than anything
# else, and nearly all of them are older than the lane.
g_note_processes() { # → g_before, with g_before_forks, g_before_most, g_before_at
  local g_p
  declare -gA g_before=()
  g_count_forks
  g_before_forks=$g_forks
  { IFS= read -r g_before_most </proc/sys/kernel/pid_max; } 2>/dev/null
  g_uptime
  g_before_at=$g_up
  # The numbers of our own /proc.
  [[ /proc/self -ef /proc/$$ ]] || return 0
  for g_p in /proc/[1-9]*; do
    if ((${g_p#/proc/} < $$)); then g_before[$g_p]=1; fi
  done
}

# A number below the runner's own that was taken before the first step has the same process still: numbers
# are given out in ascending order, and would have had to come round since. So none of these is a step's.
# The kernel counts its forks, so that it is known whether they could have (a fork that fails late takes a
# number and is not counted, so that a lane of more than five seconds, for which it matters little, looks
# at all). In doubt, everything is looked at.
g_trusts_numbers() {
  local g_most=
  [[ ${g_before_forks-} && ${g_before_most-} ]] || return 1
  g_uptime
  ((g_up - g_before_at < 500)) || return 1
  g_count_forks
  { IFS= read -r g_most </proc/sys/kernel/pid_max; } 2>/dev/null
  [[ $g_forks && $g_most ]] || return 1
  ((g_most < g_before_most)) || g_most=$g_before_most
  # Who counts does count us.
  ((g_forks > g_before_forks && g_forks - g_before_forks < g_most - $$))
}

# The processes of a lane: those of its session (SESSION, empty when it may have been reused), and
# those that carry its tracking id in their environment, wherever they fled to with setsid. None of them
# is older than its runner (g_since, as proc(5) counts; 0 when that is not known), which saves looking into
# the environments of all that the host runs besides.
g_find_processes() { # TRACK SESSION KEEP... → g_found
  local g_p g_pid g_text g_t=$1 g_session=$2 g_keep g_trust=
  local -a g_all=(/proc/[1-9]*)
  shift 2
  g_keep=" $* $BASHPID "
  g_found=()
  if g_trusts_numbers; then g_trust=1; fi
  for g_p in "${g_all[@]}"; do
    [[ $g_trust && ${g_before[$g_p]-} ]] && continue
    g_pid=${g_p#/proc/}
    [[ $g_keep == *" $g_pid "* ]] && continue
    g_stat "$g_pid" || continue
    # Neither the dead nor the kernel's own threads (PF_KTHREAD in the flags of proc(5)) are anybody's.
    [[ ${g_st[0]} == [ZX] ]] && continue
    ((g_st[6] & 0x200000 || g_st[19] < g_since)) && continue
    if [[ $g_session && ${g_st[3]} == "$g_session" ]]; then
      g_found+=("$g_pid")
      continue
    fi
    g_text=
    # NULs are dropped by read: the id is unique, so that does not matter. An environment may be long.
    { IFS= read -r -N 4194304 g_text <"$g_p/environ"; } 2>/dev/null
    [[ $g_text == *"$g_t"* ]] && g_found+=("$g_pid")
  done
}

g_kill_found() { # TRACK SESSION KEEP...: end them, and what they forked meanwhile
  local g_round g_pid # not the running step's
  for ((g_round = 0; g_round < 250; g_round++)); do
    g_find_processes "$@"
    ((${#g_found[@]})) || return 0
    # One by one: kill stops at the first that is gone already.
    for g_pid in "${g_found[@]}"; do kill -KILL "$g_pid" 2>/dev/null; done
    g_nap 0.02
  done
  return 1
}

g_end_processes() { # SESSION: of this lane, from within the runner
  g_kill_found "$g_track" "$1" "$$" "${g_guard_pid:-0}" "${g_log_pid:-0}" "${g_cats[@]}"
}

g_lock() { # FILE: wait for the process that holds it, unless that is gone
  local g_holder g_rounds=0
  g_stat "$BASHPID"
  until g_write_new "$1" '%s %s ;\n' "$BASHPID" "${g_st[19]}"; do
    g_holder=()
    { IFS=' ' read -r -a g_holder <"$1"; } 2>/dev/null
    if [[ ${g_holder[2]-} == ';' ]]; then
      g_alive "${g_holder[0]}" "${g_holder[1]}" || rm -f -- "$1"
    elif ((g_rounds++ > 40)); then
      # Made, and never written: its maker died in between.
      rm -f -- "$1"
    fi
    g_nap 0.05
  done
}

g_read_claim() { # LANE → g_claim_pid, g_claim_start, g_claim_boot
  local g_line=
  g_claim_pid= g_claim_start= g_claim_boot=
  { IFS= read -r g_line <"$1/claim"; } 2>/dev/null
  [[ $g_line == *' ;' ]] || return 1
  IFS=' ' read -r g_claim_pid g_claim_start g_claim_boot _ <<<"$g_line"
}

g_boot_id() { # → g_boot
  IFS= read -r g_boot </proc/sys/kernel/random/boot_id
}

g_drop_scripts() { # what the paths of a lane's scripts begin with
  local -a g_old=()
  [[ $1 != /dev/shm/grind.*.[1-9]*. ]] || g_old=("$1"*)
  ((${#g_old[@]} == 0)) || rm -f -- "${g_old[@]}"
}

# Called as a program of its own: end a lane from outside, whatever state it is in.
g_main_kill() { # LANE...
  local g_session g_since
  g_boot_id
  for g_lane; do
    g_read_spec || continue
    exec {g_wake}<>"$g_lane/idle"
    g_session= g_since=0
    if g_read_claim "$g_lane" && [[ $g_claim_boot == "$g_boot" ]] && g_alive "$g_claim_pid" "$g_claim_start"; then
      # While the runner lives, the session's number is certainly its own.
      g_session=$g_claim_pid
      printf 'killed\n' 1<>"$g_lane/lost" || :
      kill -KILL "$g_claim_pid" 2>/dev/null
      g_since=$g_claim_start
    else
      # No runner, or none yet: one that starts now finds the claim taken and leaves.
      g_write_new "$g_lane/claim" '0 0 0 ;\n' && printf 'killed\n' 1<>"$g_lane/lost"
    fi
    g_kill_found "$g_track" "$g_session" || g_failed=1
    # Of the one that was killed just now: the number of one that was gone may be another's.
    [[ -z $g_session ]] || g_drop_scripts "/dev/shm/grind.$EUID.$g_session."
    exec {g_wake}>&-
  done
  return "${g_failed:-0}"
}

# The guardian: one process beside each runner. It holds the deadlines, so that steps with a timeout
# need no process of their own, and notices when the runner dies: the other end of `life` closes.
g_guard() {
  local g_message g_until g_step_until= g_lane_until= g_wait
  exec {g_in}<"$g_lane/life" {g_life}>&- >/dev/null
  while :; do
    g_until=$g_lane_until
    [[ $g_step_until && (-z $g_until || $g_step_until -lt $g_until) ]] && g_until=$g_step_until
    g_wait=()
    if [[ $g_until ]]; then
      g_uptime
      g_until=$((g_until - g_up))
      if ((g_until <= 0)); then
        # Again and again, until the runner has taken note by moving the deadline.
        kill -USR1 "$$" 2>/dev/null
        printf '\n' >&"$g_wake"
        g_until=20
      fi
      printf -v g_wait '%d.%02d' $((g_until / 100)) $((g_until % 100))
      g_wait=(-t "$g_wait")
    fi
    IFS= read -r "${g_wait[@]}" -u "$g_in" g_message
    case $?,$g_message in
      0,step\ *) g_step_until=${g_message#step } ;;
      0,lane\ *) g_lane_until=${g_message#lane } ;;
      1,*)
        g_kill_found "$g_track" "$$" "$BASHPID"
        g_drop_scripts "$g_scripts"
        exit 0
        ;;
    esac
  done
}
