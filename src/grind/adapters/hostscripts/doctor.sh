# What this host has and lacks, as facts: nothing is judged here, and nothing is changed.
#
#   bash -s -- STATE [brief]   (this text on standard input)
#
# STATE is grind's state folder; empty for where it is by default. `brief` leaves out what takes its time,
# for the record that a receipt keeps of its host. The answer is NUL-delimited pairs of a
# name and a value. It works with builtins alone: what a program would tell is left out without it.

g_fact() { # NAME VALUE
  printf '%s\0%s\0' "$1" "$2"
}

g_has() { # PROGRAM → whether it is on the PATH
  type -P "$1" >/dev/null
}

g_ask() { # NAME ARGV...: the first line of an answer; nothing when there is none in ten seconds
  local g_name=$1 g_line=
  shift
  g_has "$1" || return 0
  local g_bound=()
  if g_has timeout; then g_bound=(timeout 10); fi
  IFS= read -r g_line < <("${g_bound[@]}" "$@" 2>/dev/null </dev/null)
  g_fact "$g_name" "$g_line"
}

g_system() {
  local g_line= g_key g_id= g_version= g_quotes="\"'"
  g_fact bash "$BASH_VERSION"
  g_fact machine "$HOSTTYPE"
  g_fact user "$EUID"
  g_fact home "${HOME:-~}"
  g_fact path "$PATH"
  { IFS= read -r g_line </proc/sys/kernel/osrelease; } 2>/dev/null && g_fact kernel "$g_line"
  while IFS='=' read -r g_key g_line; do
    g_line=${g_line//[$g_quotes]/}
    case $g_key in
      ID) g_id=$g_line ;;
      VERSION_ID) g_version=$g_line ;;
    esac
  done 2>/dev/null </etc/os-release
  g_fact os "$g_id${g_version:+ $g_version}"
  { IFS= read -r g_line </proc/sys/kernel/random/boot_id; } 2>/dev/null && g_fact boot "$g_line"
  { IFS=' ' read -r g_line _ </proc/uptime; } 2>/dev/null && g_fact uptime "$g_line"
  if [[ ${EPOCHREALTIME-} ]]; then g_line=${EPOCHREALTIME/,/.}; else printf -v g_line '%(%s)T' -1; fi
  g_fact clock "$g_line"
}

g_memory() {
  local g_key g_value g_count=0
  while IFS=$': \t' read -r g_key g_value _; do
    case $g_key in
      MemTotal | MemAvailable | SwapTotal) g_fact "$g_key" "$g_value" ;;
    esac
  done 2>/dev/null </proc/meminfo
  while IFS=$': \t' read -r g_key _; do [[ $g_key == processor ]] && ((g_count++)); done 2>/dev/null </proc/cpuinfo
  g_fact processors "$g_count"
}

g_programs() {
  local g_name
  for g_name in cat chmod cp env git ln mkdir mv rm rmdir setsid sort stat timeout nproc \
    nix python3 systemd-run systemctl loginctl; do
    g_has "$g_name" && g_fact "has $g_name" "$(type -P "$g_name")"
  done
  g_ask git git --version
  g_ask nix nix --version
  if g_has nix; then
    g_ask features nix --extra-experimental-features 'nix-command flakes' config show experimental-features
    g_old_features
  fi
}

g_old_features() { # what Nix before 2.20 says, in one of many lines
  local g_key g_line g_bound=()
  if g_has timeout; then g_bound=(timeout 10); fi
  while IFS=' =' read -r g_key g_line; do
    [[ $g_key == experimental-features ]] && g_fact features "$g_line"
  done < <("${g_bound[@]}" nix --extra-experimental-features 'nix-command flakes' show-config 2>/dev/null </dev/null)
}

g_units() { # who may start a unit that outlives the connection
  [[ -d /run/systemd/system ]] && g_fact systemd 1
  [[ -S ${XDG_RUNTIME_DIR:-/run/user/$EUID}/bus ]] && g_fact user-bus 1
  local g_name=${USER:-${LOGNAME-}}
  [[ $g_name && -e /var/lib/systemd/linger/$g_name ]] && g_fact linger 1
  g_memory_controller && g_fact memory-controller 1
}

g_memory_controller() { # whether the service manager that would start a unit can limit its memory
  local g_top=/sys/fs/cgroup g_line=
  if ((EUID != 0)); then
    # What is handed down to a user's own manager; of cgroup v1 nothing is.
    g_top+=/user.slice/user-$EUID.slice/user@$EUID.service
  elif [[ -d $g_top/memory ]]; then
    return 0
  fi
  { IFS= read -r g_line <"$g_top/cgroup.controllers"; } 2>/dev/null
  [[ " $g_line " == *' memory '* ]]
}

g_disk() { # FOLDER: of the nearest folder that is there
  local g_at=$1 g_line= g_words
  while [[ $g_at && ! -d $g_at ]]; do g_at=${g_at%/*}; done
  g_fact state "$1"
  [[ -d $1 ]] && g_fact state-there 1
  [[ -w ${g_at:-/} ]] && g_fact state-writable 1
  g_has df || return 0
  while IFS= read -r g_line; do g_words=($g_line); done < <(df -P -k -- "${g_at:-/}" 2>/dev/null)
  [[ ${g_words[3]-} == +([0-9]) ]] && g_fact disk-free "${g_words[3]}"
  g_words=()
  while IFS= read -r g_line; do g_words=($g_line); done < <(df -P -i -- "${g_at:-/}" 2>/dev/null)
  [[ ${g_words[3]-} == +([0-9]) ]] && g_fact inodes-free "${g_words[3]}"
}

g_alive() { # PID START
  local g_line= g_words
  { IFS= read -r -N 4096 g_line <"/proc/$1/stat"; } 2>/dev/null
  [[ $g_line == *')'* ]] || return 1
  local IFS=' '
  g_words=(${g_line##*) })
  [[ ${g_words[0]} != [ZX] && ${g_words[19]} == "$2" ]]
}

g_leftovers() { # STATE: lanes that run now, folders that are only in the way, locks
  local g_f g_pid g_start g_boot_then g_boot= g_live=0 g_runs=0 g_checkouts=0 g_stuck=0 g_facts
  { IFS= read -r g_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  for g_f in "$1"/*/runs/*/; do ((g_runs++)); done
  for g_f in "$1"/*/runs/*/*/claim; do
    { IFS=' ' read -r g_pid g_start g_boot_then _ <"$g_f"; } 2>/dev/null || continue
    [[ $g_boot_then == "$g_boot" ]] && g_alive "$g_pid" "$g_start" && ((g_live++))
  done
  for g_f in "$1"/*/jobs/*/; do ((g_checkouts++)); done
  for g_f in "$1"/*/jobs/*/*.stuck.*; do ((g_stuck++)); done
  g_fact runs "$g_runs"
  g_fact lanes-live "$g_live"
  g_fact checkouts "$g_checkouts"
  g_fact stuck "$g_stuck"
  for g_f in "$1"/locks/*; do
    g_facts=()
    { mapfile -d '' -t g_facts <"$g_f"; } 2>/dev/null
    [[ ${g_facts[0]-} == grind-lock/1 && ${g_facts[1]} != free ]] || continue
    g_start=stale
    [[ ${g_facts[4]} == "$g_boot" ]] && g_alive "${g_facts[2]}" "${g_facts[3]}" && g_start=held
    g_f=${g_f##*/}
    printf -v g_start '%s\n' "$g_start" "${g_facts[5]}" "${g_facts[1]}" "${g_facts[6]}" "${g_facts[7]}" "${g_facts[8]}"
    g_fact "lock ${g_f%.*}" "$g_start"
  done
}

g_main() {
  shopt -s nullglob extglob
  local g_state=${1-}
  [[ $g_state ]] || g_state=${XDG_STATE_HOME:-${HOME:-~}/.local/state}/grind
  g_system
  g_memory
  if [[ ${2-} == brief ]]; then
    g_ask git git --version
    g_ask nix nix --version
    g_fact end 1
    return
  fi
  g_programs
  g_units
  g_disk "$g_state"
  g_leftovers "$g_state"
  g_fact end 1
}

LC_ALL=C
g_main "$@"
exit
