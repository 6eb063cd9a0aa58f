# The names of an environment, and how a program of bash hands them on.

# Names that bash would not take, or would take for itself: these travel through env(1) instead.
g_is_special() { # NAME
  case $1 in
    '' | [0-9]* | *[!A-Za-z0-9_]* | g_* | _) return 0 ;;
    BASH | BASHOPTS | BASHPID | BASH_* | CHILD_MAX | COMP_* | COMPREPLY | COPROC | DIRSTACK | EPOCH* | EUID | EXECIGNORE) return 0 ;;
    FUNCNAME | FUNCNEST | GLOBIGNORE | GROUPS | HIST* | IFS | IGNOREEOF | LINENO | MAPFILE | OPT*) return 0 ;;
    PIPESTATUS | POSIXLY_CORRECT | PPID | RANDOM | READLINE_* | REPLY | SECONDS | SHELLOPTS | SHLVL) return 0 ;;
    SRANDOM | TMOUT | UID | OLDPWD | PWD) return 0 ;;
  esac
  return 1
}

declare -A g_usual=() # names that need no second look
g_harmless='@(CI=|GITHUB_|RUNNER_|ACTIONS_|GRIND_|NPM_|YARN_|COREPACK_|PNPM_|NODE_|PIP_|PIPX_|UV_|PYENV_|PYTHON|CARGO_|RUSTUP_|GOPATH=|GOMOD|GOCACHE|GOTOOLCHAIN=|GEM_|BUNDLE_|SSL_CERT_|NIX_SSL_|CURL_CA_|REQUESTS_CA_)*'
g_own_names='@(GITHUB_ENV|GITHUB_OUTPUT|GITHUB_PATH|GITHUB_STATE|GITHUB_STEP_SUMMARY|RUNNER_TRACKING_ID)=*'

g_sort_names() { # NAME=VALUE...: appended to g_plain (exported) or g_special (through env)
  local g_pair
  for g_pair; do
    if g_is_special "${g_pair%%=*}"; then
      g_special+=("$g_pair")
    else
      g_plain+=("$g_pair")
      [[ $g_pair == PATH=* || $g_pair == $g_own_names ]] || g_usual[${g_pair%%=*}]=1
    fi
  done
}
