# The host's own clone of the repository, in which people edit in place.
#
#   forward WORKSPACE REMOTE MAIN LOCK WHO   fast-forward it to the remote's main branch
#   settle WORKSPACE REMOTE MAIN LOCK WHO TREE   the same after TREE was landed from its edits
#   snapshot WORKSPACE   its tree as it would be pushed; commits that the client has come on stdin
#
# LOCK is the path of lock.sh. The answer is a word and its facts, NUL-delimited and closed by `end`; after
# `snapshot` a pack follows. Nothing that anybody edited is ever changed: what is in the way is named.
# Words: forwarded OLD NEW COUNT, current OID, dirty, ahead, branch, none, empty, conflicts, remote,
# fetch, busy, stale, failed, snapshot COMMIT TREE HEAD BRANCH, each with what is there.

g_say() { # FIELD...
  printf '%s\0' "$@" end
}

g_git() {
  git -C "$g_workspace" -c core.fsmonitor=false -c core.untrackedCache=false -c core.hooksPath=/dev/null \
    -c core.splitIndex=false -c add.ignoreErrors=false -c core.ignoreStat=false -c advice.addEmbeddedRepo=false "$@"
}

g_open() { # WORKSPACE → g_dir, g_head; status 1 when an answer was given already
  g_workspace=$1
  if [[ ! -d $1 ]]; then
    g_say none 'there is no such folder'
    return 1
  fi
  g_dir=$(g_git rev-parse --absolute-git-dir 2>&1) || {
    g_say none "$g_dir"
    return 1
  }
  g_top=$(g_git rev-parse --show-toplevel 2>&1) || {
    g_say none "$g_top"
    return 1
  }
  g_workspace=$g_top
  g_head=$(g_git rev-parse --verify -q 'HEAD^{commit}') || {
    g_say empty 'it has no commit yet'
    return 1
  }
}

g_lock() { # LOCK WHO: one change of the host at a time
  local g_instead= g_since
  local -a g_f
  while :; do
    mapfile -d '' -t g_f < <(bash --noprofile --norc "$1" take activation "$$" "$2" '' 'grind sync' "$g_instead")
    case ${g_f[0]-} in
      taken)
        g_token=${g_f[1]}
        return 0
        ;;
      free) continue ;;
    esac
    # A sync that is gone left nothing half done, because every change here is one of git's own: its
    # lock may be followed, but not in silence.
    [[ ${g_f[0]-} == stale && ${g_f[6]} == 'grind sync' && $g_instead != "${g_f[1]}" ]] || break
    printf '%s\n' "the last sync of this host, by ${g_f[4]}, ended in the middle; its lock was taken over" >&2
    g_instead=${g_f[1]}
  done
  if ((${#g_f[@]} < 7)); then
    g_say failed 'the lock of this host cannot be used'
    return 1
  fi
  printf -v g_since '%(%Y-%m-%d %H:%M:%S)T' "${g_f[3]}"
  g_since="${g_f[6]} by ${g_f[4]}${g_f[5]:+ from ${g_f[5]}} (pid ${g_f[2]} there, since $g_since)"
  if [[ ${g_f[0]} == stale ]]; then
    g_say stale "$g_since, which is gone: what it was doing may be half done" "${g_f[1]}"
  else
    g_say busy "$g_since"
  fi
  return 1
}

g_on_branch() { # MAIN
  local g_branch
  g_branch=$(g_git symbolic-ref --short -q HEAD) || g_branch='a detached HEAD'
  [[ $g_branch == "$1" ]] && return
  g_say branch "$g_branch"
  return 1
}

g_fetch() { # REMOTE MAIN → g_tip
  local g_said g_bound=()
  if ! g_git config --get "remote.$1.url" >/dev/null; then
    g_say remote "it has no remote $1"
    return 1
  fi
  if type -P timeout >/dev/null; then g_bound=(timeout 120); fi
  g_said=$("${g_bound[@]}" git -C "$g_workspace" fetch --quiet --no-tags --no-recurse-submodules "$1" \
    "+refs/heads/$2:refs/remotes/$1/$2" 2>&1 </dev/null) || {
    g_say fetch "$g_said"
    return 1
  }
  g_tip=$(g_git rev-parse --verify -q "refs/remotes/$1/$2^{commit}") || {
    g_say fetch "$1 has no branch $2"
    return 1
  }
}

g_is_ahead() { # whether the workspace has commits that the remote has not; an answer was given then
  local -a g_own
  mapfile -t g_own < <(g_git log --oneline --no-decorate --no-color -n 20 "$g_tip..$g_head")
  ((${#g_own[@]})) || return 1
  g_say ahead "${g_own[@]}"
}

g_is_dirty() { # whether anything is edited or new; an answer was given then
  local -a g_lines
  mapfile -d '' -t g_lines < <(g_git status --porcelain=v1 -z --no-renames --ignore-submodules=none)
  ((${#g_lines[@]})) || return 1
  g_say dirty "${g_lines[@]:0:50}"
}

g_forward() { # REMOTE MAIN LOCK WHO
  local g_count g_said
  g_lock "$3" "$4" && g_on_branch "$2" || return 0
  g_is_dirty && return 0
  g_fetch "$1" "$2" || return 0
  g_is_ahead && return 0
  if [[ $g_tip == "$g_head" ]]; then
    g_say current "$g_head"
    return 0
  fi
  g_count=$(g_git rev-list --count "$g_head..$g_tip")
  g_said=$(git -C "$g_workspace" merge --quiet --ff-only "$g_tip" 2>&1 </dev/null) || {
    g_say failed "$g_said"
    return 0
  }
  g_say forwarded "$g_head" "$g_tip" "$g_count"
}

g_make_tree() { # → g_tree: of everything that would be pushed, in an index and objects of its own
  local g_line g_index
  local -a g_hidden=()
  g_aside=$g_dir/grind-sync.$$
  g_index=$(g_git rev-parse --git-path index)
  [[ $g_index == /* ]] || g_index=$g_workspace/$g_index
  mkdir -m 0700 -- "$g_aside" "$g_aside/objects" || return 1
  # With its time: what was edited in the same moment as the index was written is found by it.
  [[ ! -e $g_index ]] || cp -p -- "$g_index" "$g_aside/index" || return 1
  g_objects=$(g_git rev-parse --git-path objects)
  [[ $g_objects == /* ]] || g_objects=$g_workspace/$g_objects
  export GIT_INDEX_FILE=$g_aside/index GIT_OBJECT_DIRECTORY=$g_aside/objects
  export GIT_ALTERNATE_OBJECT_DIRECTORIES=$g_objects
  # Lower case is assume-unchanged, S skip-worktree: both may hide an edit.
  while IFS= read -r -d '' g_line; do
    case ${g_line%% *} in
      [a-z]) g_hidden+=("${g_line#* }") ;;
      S) [[ -e $g_workspace/${g_line#* } ]] && g_hidden+=("${g_line#* }") ;;
    esac
  done < <(g_git ls-files -v -z --full-name)
  if ((${#g_hidden[@]})); then
    printf '%s\0' "${g_hidden[@]}" | g_git update-index --no-assume-unchanged --no-skip-worktree -z --stdin || return 1
  fi
  g_git add --all --sparse . >&2 && g_tree=$(g_git write-tree)
}

g_snapshot() {
  local g_commit g_date g_have g_branch
  local -a g_conflicts g_haves
  mapfile -d '' -t g_conflicts < <(g_git diff --name-only -z --diff-filter=U)
  if ((${#g_conflicts[@]})); then
    g_say conflicts "${g_conflicts[@]}"
    return 0
  fi
  g_branch=$(g_git symbolic-ref --short -q HEAD)
  g_make_tree 2>"$g_dir/grind-sync.err.$$" || {
    g_say failed "$(<"$g_dir/grind-sync.err.$$")"
    return 0
  }
  g_commit=$g_head
  if [[ $g_tree != "$(g_git rev-parse "$g_head^{tree}")" ]]; then
    # As the client makes it: the same tree on the same commit has the same id everywhere.
    g_date=$(g_git show -s --no-show-signature --format=%ct "$g_head")
    export GIT_AUTHOR_NAME=grind GIT_AUTHOR_EMAIL=grind@localhost GIT_AUTHOR_DATE="@$g_date +0000"
    export GIT_COMMITTER_NAME=grind GIT_COMMITTER_EMAIL=grind@localhost GIT_COMMITTER_DATE="@$g_date +0000"
    g_commit=$(printf 'grind snapshot\n' | g_git -c i18n.commitEncoding=UTF-8 commit-tree "$g_tree" -p "$g_head") || {
      g_say failed 'the commit of the snapshot could not be made'
      return 0
    }
  fi
  while IFS= read -r g_have; do
    g_git cat-file -e "$g_have^{commit}" 2>/dev/null && g_haves+=("^$g_have")
  done
  g_say snapshot "$g_commit" "$g_tree" "$g_head" "$g_branch"
  printf '%s\n' "$g_commit" "${g_haves[@]}" | g_git pack-objects --quiet --revs --thin --stdout
}

g_settle() { # REMOTE MAIN LOCK WHO TREE: what was edited here is what landed, so it is no edit any more
  local g_said
  g_lock "$3" "$4" && g_on_branch "$2" && g_fetch "$1" "$2" || return 0
  g_make_tree 2>/dev/null || {
    g_say failed 'its tree could not be read'
    return 0
  }
  unset -v GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
  if [[ $g_tree == "$5" && $(g_git rev-parse "$g_tip^{tree}") == "$5" ]] &&
    g_git merge-base --is-ancestor "$g_head" "$g_tip"; then
    # The files are the commit's already: HEAD and the index follow, and nothing is written over.
    g_said=$(git -C "$g_workspace" reset --quiet --mixed "$g_tip" 2>&1 </dev/null) || {
      g_say failed "$g_said"
      return 0
    }
    g_say forwarded "$g_head" "$g_tip" "$(g_git rev-list --count "$g_head..$g_tip")"
    return 0
  fi
  g_is_dirty && return 0
  g_is_ahead && return 0
  g_said=$(git -C "$g_workspace" merge --quiet --ff-only "$g_tip" 2>&1 </dev/null) || {
    g_say failed "$g_said"
    return 0
  }
  g_say forwarded "$g_head" "$g_tip" "$(g_git rev-list --count "$g_head..$g_tip")"
}

g_clean() {
  [[ ${g_aside-} ]] && rm -rf -- "$g_aside"
  [[ ${g_dir-} ]] && rm -f -- "$g_dir/grind-sync.err.$$"
  if [[ ${g_token-} ]]; then bash --noprofile --norc "$g_lock_path" free activation "$g_token"; fi
}

g_main() {
  umask 077
  shopt -s nullglob extglob
  # Without HOME git finds no configuration; the account's own is what its owner uses there.
  [[ ${HOME-} ]] || export HOME=~
  export GIT_TERMINAL_PROMPT=0 GIT_OPTIONAL_LOCKS=0
  unset -v GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
  trap g_clean EXIT
  g_lock_path=${5-}
  g_open "$2" || return 0
  case $1,$# in
    forward,6) g_forward "${@:3}" ;;
    settle,7) g_settle "${@:3}" ;;
    snapshot,2) g_snapshot ;;
    *) return 2 ;;
  esac
}

LC_ALL=C
g_main "$@"
exit
