# The lock of this host: one at a time changes its system, its units or its workspace, whichever repository
# or operator it is for. It lies in the state folder of the account that asked, and the guard holds it.

# As the account whose lock it is: what root runs must be root's.
g_call_host_lock() { # VERB ARGUMENT...
  local -a g_as=()
  if ((EUID == 0)); then
    if [[ ${SUDO_UID-} =~ ^[1-9][0-9]*$ && ${SUDO_GID-} =~ ^[0-9]+$ ]]; then
      g_as=(setpriv --reuid="$SUDO_UID" --regid="$SUDO_GID" --clear-groups --)
    else
      g_only_roots "$g_host_lock" || return 1
    fi
  fi
  timeout 20 "${g_as[@]}" "$BASH" --noprofile --norc "$g_host_lock" "$@" </dev/null 2>>"$g_log" {g_lock}>&- {g_busy}>&-
}

g_take_host_lock() { # → g_token, and g_followed, whose lock that was; fails with g_why: who has it, or left it
  local g_what="grind activate $g_id" g_instead= g_round
  [[ $g_purpose != rollback ]] || g_what="grind rollback host $g_id"
  g_token= g_followed= g_why='the lock of this host cannot be used'
  [[ $g_host_lock == /* && -f $g_host_lock ]] || return 1
  for g_round in 1 2 3 4 5; do
    mapfile -d '' -t g_said < <(g_call_host_lock take activation "$$" "$g_who" "$g_origin" "$g_what" "$g_instead")
    case ${g_said[0]-} in
      taken)
        [[ ${g_said[1]-} =~ ^[0-9-]+$ ]] || return 1
        g_token=${g_said[1]} g_why=
        return 0
        ;;
      free) ;; # whoever was faster is done already
      held | stale)
        ((${#g_said[@]} == 7)) || return 1
        printf -v g_why '%s by %s%s (pid %s there, since %(%Y-%m-%d %H:%M:%S)T)' "${g_said[6]}" "${g_said[4]}" \
          "${g_said[5]:+ from ${g_said[5]}}" "${g_said[2]}" "${g_said[3]%%[!0-9]*}"
        if [[ ${g_said[0]} == held ]]; then
          g_why="busy: $g_why holds the lock of this host"
          return 1
        elif ! g_may_follow "${g_said[6]}"; then
          g_why="the lock of this host was left by $g_why, which is gone without having let go: what it was doing may be half done; \`grind doctor --free-lock ${g_said[1]}\` lets go of it"
          return 1
        fi
        g_instead=${g_said[1]} g_followed=$g_why
        ;;
      *) return 1 ;;
    esac
  done
  return 1
}

# A lock whose holder is gone is followed by whoever knows what was left: this very activation, one that the
# record has brought to its end, or a sync, whose changes are all git's own.
g_may_follow() { # WHAT
  local g_phase= g_fields= g_left=${1##* }
  [[ $1 == 'grind sync' ]] && return 0
  [[ $1 == "grind activate $g_left" || $1 == "grind rollback host $g_left" ]] || return 1
  [[ $g_left == "$g_id" ]] && return 0
  g_last_of "$g_left" && g_is_final "$g_phase"
}

g_free_host_lock() {
  [[ $g_token ]] || return 0
  g_call_host_lock free activation "$g_token" >/dev/null
  g_token=
}
