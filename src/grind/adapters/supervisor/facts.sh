# What the host is now: profile, running system, generations, failed units.

g_real() { # PATH → what it leads to, or nothing when it leads nowhere
  readlink -e -- "$1" 2>/dev/null
}

g_number_of() { # PROFILE → the number of its current generation, or nothing
  local g_link
  g_link=$(readlink -- "$1" 2>/dev/null) || return 0
  [[ $g_link =~ -([0-9]+)-link$ ]] && printf %s "${BASH_REMATCH[1]}"
}

g_failed_units() { # → g_failed: units that have failed; fails when that cannot be known
  local g_text g_unit g_rest
  g_failed=()
  g_text=$(systemctl list-units --state=failed --no-legend --plain --no-pager 2>>"$g_log" </dev/null) || return 1
  while IFS=' ' read -r g_unit g_rest; do
    [[ $g_unit ]] && g_failed+=("$g_unit")
  done <<<"$g_text"
  return 0
}

g_newly_failed() { # → g_new_failures: those that had not failed before
  local g_unit
  g_new_failures=()
  for g_unit in "${g_failed[@]}" "${g_named[@]}"; do
    [[ " ${g_baseline[*]} ${g_new_failures[*]-} " == *" $g_unit "* ]] || g_new_failures+=("$g_unit")
  done
}

g_current() { # → g_now_runs: what the host runs
  if [[ $g_kind == nixos ]]; then
    g_now_runs=$(g_real "$g_running")
  else
    g_now_runs=$(g_script current "$g_current" 2>>"$g_log") || return 1
    g_now_runs=${g_now_runs//[[:cntrl:]]/ }
  fi
}

g_script() { # NAME TEXT: run a command of grind.toml, as a file, where the change is checked out
  local g_file=$g_folder/$1.sh g_where=$g_cwd
  [[ -f $g_file ]] || printf '%s\n' "$2" >"$g_file" || return 125
  [[ -d $g_where ]] || g_where=/
  (
    cd -- "$g_where" || exit 125
    export GRIND_TO=$g_to GRIND_FROM=$g_from GRIND_REVISION=$g_revision
    exec timeout -k 10 "$g_limit" bash --noprofile --norc -e -o pipefail "$g_file"
  ) </dev/null {g_lock}>&- {g_busy}>&-
}
