# The command files of a step: GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE (pairs), GITHUB_PATH (lines).
# The format and the messages follow the runner of GitHub (actions/runner, FileCommandManager).

g_problem() { # FILE MESSAGE: what was wrong with a command file; the step fails
  g_detail+="Unable to process file command '$1' successfully. $2"$'\n'
  return 1
}

g_read_lines() { # PATH WHAT → g_lines
  local g_text=
  g_lines=()
  [[ -s $1 && -f $1 && ! -L $1 ]] || return 0
  if IFS= read -r -d '' g_text <"$1"; then
    g_problem "$2" 'The file contains a NUL byte.'
    return
  fi
  mapfile -t g_lines <"$1"
  g_lines[0]=${g_lines[0]#$'\xef\xbb\xbf'}
}

# Calls HANDLER NAME VALUE for every pair. Pairs before a malformed line count, as on GitHub.
g_read_pairs() { # PATH WHAT HANDLER
  local g_i g_line g_end g_pair g_value
  g_read_lines "$1" "$2" || return
  for ((g_i = 0; g_i < ${#g_lines[@]}; g_i++)); do
    g_line=${g_lines[g_i]}
    [[ $g_line ]] || continue
    if [[ $g_line == *'<<'* && ${g_line%%<<*} != *=* ]]; then
      g_pair=${g_line%%<<*} g_end=${g_line#*<<}
      if [[ -z $g_pair || -z $g_end ]]; then
        g_problem "$2" "Invalid format '$g_line'. Name must not be empty and delimiter must not be empty"
        return
      fi
      g_value=
      for ((g_i++; ; g_i++)); do
        if ((g_i >= ${#g_lines[@]})); then
          g_problem "$2" "Invalid value. Matching delimiter not found '$g_end'"
          return
        fi
        [[ ${g_lines[g_i]} == "$g_end" ]] && break
        g_value+=${g_lines[g_i]}$'\n'
      done
      "$3" "$g_pair" "${g_value%$'\n'}"
    elif [[ $g_line == *=* ]]; then
      if [[ $g_line == =* ]]; then
        g_problem "$2" "Invalid format '$g_line'. Name must not be empty"
        return
      fi
      "$3" "${g_line%%=*}" "${g_line#*=}"
    else
      g_problem "$2" "Invalid format '$g_line'"
      return
    fi
  done
}

g_ignore_pair() { :; }

g_set_pair() { # NAME VALUE: what a step wrote to GITHUB_ENV, for the steps that follow
  case ${1^^} in
    NODE_OPTIONS)
      g_detail+="Can't store $1 output parameter using '\$GITHUB_ENV' command."$'\n'
      return
      ;;
  esac
  # The variables that the job began with under these prefixes are the runner's to set.
  [[ $1 == @(GITHUB|RUNNER)_* && ${g_given[$1]+x} ]] && return
  g_written[$1]=$2
  g_env_changed=1
}

g_add_paths() { # PATH: lines of GITHUB_PATH; the last one comes first, and only once
  local g_line g_old g_kept
  g_read_lines "$1" path || return
  for g_line in "${g_lines[@]}"; do
    [[ $g_line ]] || continue
    g_kept=()
    for g_old in "${g_paths[@]}"; do [[ $g_old == "$g_line" ]] || g_kept+=("$g_old"); done
    g_paths=("$g_line" "${g_kept[@]}") g_env_changed=1
  done
}

g_apply_files() { # FILES → status 1 and g_detail when one is malformed; each is looked at
  local g_bad=0
  g_detail=
  [[ -s $1.env ]] && { g_read_pairs "$1.env" env g_set_pair || g_bad=1; }
  [[ -s $1.path ]] && { g_add_paths "$1.path" || g_bad=1; }
  [[ -s $1.output ]] && { g_read_pairs "$1.output" output g_ignore_pair || g_bad=1; }
  [[ -s $1.state ]] && { g_read_pairs "$1.state" save_state g_ignore_pair || g_bad=1; }
  if [[ $g_detail ]]; then
    printf %s "$g_detail" >"$1.detail" || g_lost 'the detail of a step could not be written'
  fi
  return "$g_bad"
}
