#!/usr/bin/env bash
# The supervisor of an activation: switches a host, waits to be told that all is well, or goes back.
#
# Usage: grind-activate VERB STATE-FOLDER [ARGUMENT...]; the verbs stand in verbs.sh.
#
# Laws of this house:
# - Values are data: NUL-delimited fields in, "${g_x}" out, never eval, never text for another shell.
# - What is about to be done is on disk, synced, before it is done. The record is appended, never changed.
# - Only the supervisor that works decides: a client leaves a word (`ack`, `back`), and reads the record.
# - It goes back to the recorded path and generation, never to "the one before".

set -u
umask 077
export LC_ALL=C
g_tab=$'\t'
g_id= g_phase= g_to= g_from= g_spec=() g_failed=() g_named=() g_new_failures=()
g_log_before=0
g_host_lock= g_origin= g_token= g_followed= g_said=()
exec {g_lock}</dev/null {g_busy}</dev/null # until they are held

g_fail() { # CODE MESSAGE: the verb ends with it
  printf '%s\n' "$2" >&2
  exit "$1"
}

g_time() { # → g_now: seconds since the epoch with a fraction
  if [[ ${EPOCHREALTIME-} ]]; then g_now=${EPOCHREALTIME/,/.}; else printf -v g_now '%(%s)T' -1; fi
}

g_uptime() { # → g_up: centiseconds since boot; deadlines count on it, because clocks are set
  local g_rest
  read -r g_up g_rest </proc/uptime
  g_up=$((10#${g_up/./}))
}

g_boot_id() { # → g_boot. A test that plays a reboot names another file.
  IFS= read -r g_boot <"${GRIND_BOOT_ID_FILE:-/proc/sys/kernel/random/boot_id}" || g_boot=unknown
}

# --- the record: one line for each thing that became true -----------------------------------------
#
# ID <tab> seconds <tab> phase <tab> key=value ... <tab> ;      A line without its end is torn: skipped.

g_record() { # PHASE KEY=VALUE...
  local g_line g_field
  g_time
  g_phase=$1
  g_line=$g_id$g_tab$g_now
  for g_field; do
    g_line+=$g_tab${g_field//[[:cntrl:]]/ }
  done
  # What is over needs the host no more; whoever reads that it is over may begin at once.
  ! g_is_final "$g_phase" || g_free_host_lock
  g_append "$g_line$g_tab;" || {
    # The disk is full. What was kept back for this moment is let go.
    rm -f -- "$g_home/reserve"
    g_append "" && g_append "$g_line$g_tab;"
  }
}

g_append() { # LINE
  { printf '%s\n' "$1" >>"$g_home/record"; } 2>/dev/null && sync -d -- "$g_home/record"
}

g_last_of() { # ID → g_phase, g_fields: the last whole record of an activation; fails without one
  local g_line g_found=
  g_phase= g_fields=
  [[ -f $g_home/record ]] || return 1
  while IFS= read -r g_line; do
    [[ $g_line == "$1$g_tab"*"$g_tab;" ]] && g_found=$g_line
  done <"$g_home/record"
  [[ $g_found ]] || return 1
  IFS=$g_tab read -r _ _ g_phase g_fields <<<"$g_found"
}

g_last_id() { # → g_id: the activation that was begun last; fails without one
  local g_line
  g_id=
  [[ -f $g_home/record ]] || return 1
  while IFS= read -r g_line; do
    [[ $g_line == *"$g_tab"begun"$g_tab"*"$g_tab;" ]] && g_id=${g_line%%"$g_tab"*}
  done <"$g_home/record"
  [[ $g_id ]]
}

g_is_final() { # PHASE
  case $1 in acknowledged | rolled-back | rollback-failed | refused | kept) return 0 ;; esac
  return 1
}

# --- one activation: its folder and what it is ------------------------------------------------------

g_spec_names='version id kind old generation new target profile running deadline limit otherwise revision tree who purpose cwd switch back current'

g_take_spec() { # FILE → g_old, g_new, … and g_baseline; fails when it is not one
  local g_name g_at=0
  mapfile -d '' -t g_spec <"$1" || return 1
  # What was cut off on its way is not what was said.
  ((${#g_spec[@]})) && [[ ${g_spec[-1]} == end ]] || return 1
  unset 'g_spec[-1]'
  for g_name in $g_spec_names; do
    ((g_at < ${#g_spec[@]})) || return 1
    printf -v "g_$g_name" %s "${g_spec[g_at]}"
    ((g_at++))
  done
  g_baseline=("${g_spec[@]:g_at}")
  [[ $g_version == grind-activation/1 && $g_id =~ ^[0-9a-z-]{8,64}$ && $g_kind =~ ^(nixos|commands)$ ]] &&
    [[ $g_deadline =~ ^[1-9][0-9]{0,6}$ && $g_limit =~ ^[1-9][0-9]{0,6}$ && $g_otherwise =~ ^(back|keep)$ ]]
}

g_open_state() { # make the state folder; as root, it must be root's alone
  if [[ ! -d $g_home ]]; then
    mkdir -p -m 700 -- "$g_home" || g_fail 3 "the state folder $g_home cannot be made"
  fi
  [[ $EUID != 0 ]] || g_only_roots "$g_home" || g_fail 3 "the state folder $g_home must be root's, and so must what it is in: $g_whose"
  mkdir -p -- "$g_home/a" "$g_home/bad" || g_fail 3 "the state folder $g_home cannot be written to"
}

g_only_roots() { # PATH: it and every folder above belong to root, and nobody else may put things in; else g_whose
  local g_at=$1 g_mode g_owner
  while :; do
    g_mode=$(stat -L -c '%u %a' -- "$g_at") || return 1
    g_owner=${g_mode%% *} g_mode=${g_mode##* }
    # In a sticky folder (/tmp, /nix/store) nobody may rename what is root's.
    if [[ $g_owner != 0 ]] || { ((8#$g_mode & 8#022)) && ! ((8#$g_mode & 8#1000)); }; then
      g_whose="$g_at (user $g_owner, mode $g_mode)"
      return 1
    fi
    [[ $g_at != / ]] || return 0
    g_at=${g_at%/*}
    g_at=${g_at:-/}
  done
}
