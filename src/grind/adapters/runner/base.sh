# The grind runner: works through the queue of one lane (one job) by itself, detached from its client.
#
# It needs bash >= 4.4, coreutils, setsid and git, and nothing else. It is one program: the files of
# this folder in the order that program.py names, fed as a file here and through a session over ssh.
#
# Laws of this house, held by tests/adapters/test_runner_lint.py:
# - Every variable begins with `g_`. Names that a step's environment may contain never collide then.
# - Values (names, scripts, environments, paths) are data: NUL-delimited fields in, "${g_x}" out, never
#   eval, never text for another shell.
# - Between two steps nothing forks: records, scripts and command files are written and read with
#   builtins. A step costs one fork and one exec.
# - The runner's own environment is empty; what a step gets is exported in its fork only, but for names that
#   none of the runner's own programs reads (g_harmless).

g_time() { # → g_now: seconds since the epoch with a fraction
  if [[ ${EPOCHREALTIME-} ]]; then g_now=${EPOCHREALTIME/,/.}; else printf -v g_now '%(%s)T' -1; fi
}

g_uptime() { # → g_up: centiseconds since boot; deadlines count on it, because clocks are set
  read -r g_up _ </proc/uptime
  g_up=$((10#${g_up/./}))
}

g_nap() { # SECONDS: wait without a fork; a wake-up from the client ends it early, which is harmless
  IFS= read -r -t "$1" -u "$g_wake" g_reply || :
}

# Whoever pushes what is written here to a client looks only now and then while steps follow each other.
g_tell_follower() { # somebody may wait for this very moment
  [[ ! -p $g_lane/still ]] || printf '\n' 1<>"$g_lane/still"
}

# A record is one appended line that ends in ` ;`. A line that does not is torn, and readers skip it.
g_record() { # FIELD...
  printf '%s ;\n' "$*" || g_lost_record
}

g_lost_record() {
  g_lost 'the record of the lane could not be written (is the disk full?)'
}

# The file `lost` was filled with blanks when the lane was made, so that its blocks exist: the reason
# can be written even when the disk is full.
g_lost() { # REASON: end the lane without an end; clients deliver LaneLost
  printf '%s\n' "$1" 1<>"$g_lane/lost" || :
  g_end_processes "$$" || :
  exit 3
}

g_write_new() { # FILE FORMAT FIELD...: false when it was there
  local g_rc
  set -C
  { printf "${@:2}" >"$1"; } 2>/dev/null
  g_rc=$?
  set +C
  return "$g_rc"
}

g_read_spec() { # → what the lane is, from the file that the client wrote when it made the lane
  local g_s
  mapfile -d '' -t g_s <"$g_lane/spec"
  [[ ${g_s[0]} == grind-lane/1 && ${#g_s[@]} -ge 11 ]] || return 1
  g_track=${g_s[1]} g_state=${g_s[2]} g_key=${g_s[3]} g_name=${g_s[4]} g_repository=${g_s[5]}
  g_limit=${g_s[6]} g_grace_int=${g_s[7]} g_grace_term=${g_s[8]} g_grace_rest=${g_s[9]}
  g_outer=${g_s[10]} g_alone=${g_s[11]-90000}
}
