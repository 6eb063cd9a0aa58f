# `actions/checkout`, from the private repository of the run.
#
# The repository in the workspace is made anew by every checkout and is nobody else's: whatever a step
# does to its config, hooks, refs or objects ends with the run. With a depth, it sees the trees of its
# commits through alternates, and of commits only its own: `git diff OLD` fails here as it does on CI.
# The files are reused: they are compared with an index that was put aside when they were written, so
# a file that anything has touched since (its ctime says so) is written again.

g_refuse() { # MESSAGE: the step fails with it, when what went on beside it has ended
  wait
  printf 'grind: %s\n' "$1"
  exit 1
}

g_git_environment() {
  unset -v GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
  export PATH LC_ALL=C HOME=$g_lane XDG_CONFIG_HOME=$g_lane GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
  export GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1 GIT_NO_LAZY_FETCH=1 GIT_ADVICE=0
}

# An empty folder tree of git's, and a config, without a process for each.
g_quote() { # TEXT → g_value, as git's config quotes it
  g_value=${1//'\'/'\\'}
  printf -v g_value '"%s"' "${g_value//'"'/'\"'}"
}

g_make_repository() { # GITDIR ORIGIN OBJECTS WORKTREE (empty when GITDIR is in it)
  local g_value g_version=0
  mkdir -p -- "$1/objects/info" "$1/objects/pack" "$1/refs/heads" "$1/refs/tags" "$1/info" || return
  ((${#g_oid} == 64)) && g_version=1
  {
    printf '[core]\n\trepositoryformatversion = %s\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n' "$g_version"
    [[ $4 ]] && g_quote "$4" && printf '\tworktree = %s\n' "$g_value"
    ((g_version)) && printf '[extensions]\n\tobjectformat = sha256\n'
    g_quote "$2"
    printf '[remote "origin"]\n\turl = %s\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[gc]\n\tauto = 0\n' "$g_value"
    if [[ $g_ref == refs/heads/* ]]; then
      g_quote "${g_ref#refs/heads/}"
      printf '[branch %s]\n\tremote = origin\n' "$g_value"
      g_quote "$g_ref"
      printf '\tmerge = %s\n' "$g_value"
    fi
  } >"$1/config" &&
    printf '%s\n' "$3" >"$1/objects/info/alternates" &&
    printf 'ref: refs/heads/main\n' >"$1/HEAD"
}

# Commits down to a depth, and where history is cut. One git per generation.
g_find_commits() { # DEPTH START... → g_commits, g_trees, g_cut
  local g_depth=$1 g_line g_out g_hash g_parent
  local -a g_level g_next
  local -A g_seen=()
  shift
  g_level=("$@") g_commits=() g_trees=() g_cut=()
  while ((${#g_level[@]})); do
    g_out=$(git --git-dir="$g_source" log --no-walk=unsorted --format='%H %T %P' "${g_level[@]}" --) || return
    g_next=()
    while IFS= read -r g_line; do
      g_hash=${g_line%% *}
      [[ ${g_seen[$g_hash]-} ]] && continue
      g_seen[$g_hash]=1
      g_commits+=("$g_hash")
      g_line=${g_line#* }
      g_trees+=("${g_line%% *}")
      [[ $g_line == *' '?* ]] || continue
      if ((g_depth == 1)); then g_cut+=("$g_hash"); else
        for g_parent in ${g_line#* }; do g_next+=("$g_parent"); done
      fi
    done <<<"$g_out"
    ((g_depth-- > 1)) || break
    g_level=("${g_next[@]}")
  done
  # The source may be cut itself.
  if [[ -s $g_source/shallow ]]; then
    while read -r g_hash; do [[ ${g_seen[$g_hash]-} ]] && g_cut+=("$g_hash"); done <"$g_source/shallow"
  fi
  return 0
}

# Trees and files of the commits that checkouts have used, without the commits: `<repository>/trees`.
# A root is there when everything below it is, because a pack appears as a whole.
g_store_trees() { # TREE... → g_store
  local g_tree g_last=
  local -a g_missing=()
  g_store=$g_source/trees
  for g_tree; do
    git --git-dir="$g_store" cat-file -e "$g_tree" 2>/dev/null || g_missing+=("$g_tree")
  done
  ((${#g_missing[@]})) || return 0
  [[ -d $g_store/objects/pack && -d $g_store/refs ]] || mkdir -p -- "$g_store/objects/pack" "$g_store/refs" || return
  g_lock "$g_store/lock"
  if [[ -s $g_store/config && -s $g_store/HEAD ]]; then
    :
  elif ((${#g_oid} == 64)); then
    printf '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n' >"$g_store/config.new"
  else
    printf '[core]\n\trepositoryformatversion = 0\n\tbare = true\n' >"$g_store/config.new"
  fi
  if [[ -e $g_store/config.new ]]; then mv -f -- "$g_store/config.new" "$g_store/config" && printf 'ref: refs/heads/main\n' >"$g_store/HEAD"; fi
  { IFS= read -r g_last <"$g_store/last"; } 2>/dev/null
  {
    printf '%s\n' "${g_missing[@]}"
    [[ $g_last ]] && printf '^%s\n' "$g_last"
  } | git --git-dir="$g_source" pack-objects -q --revs --delta-base-offset "$g_store/objects/pack/pack" >/dev/null &&
    printf '%s\n' "$1" >"$g_store/last"
  g_tree=$?
  rm -f -- "$g_store/lock"
  return "$g_tree"
}

g_list_refs() { # PATTERN... : the refs of the source as update-ref takes them
  local g_line g_name
  git --git-dir="$g_source" for-each-ref --format='%(objectname) %(refname)' "$@" | while IFS= read -r g_line; do
    g_name=${g_line#* }
    [[ $g_name == refs/heads/* ]] && g_name=refs/remotes/origin/${g_name#refs/heads/}
    printf 'update %s %s\n' "$g_name" "${g_line%% *}"
  done
}

# Not forced onto the disk: what is in the workspace's own repository ends with the run, and with the host.
g_shallow_objects() { # GITDIR: the commits themselves, and the line below which there is nothing
  local g_line
  local -a g_starts=("$g_oid") g_tagged=()
  if [[ $g_tags == 1 ]]; then
    while read -r g_line; do g_tagged+=("$g_line"); done < <(git --git-dir="$g_source" for-each-ref --format='%(objectname)' refs/tags)
    while read -r g_line; do [[ $g_line ]] && g_starts+=("$g_line"); done < <(
      git --git-dir="$g_source" for-each-ref --format='%(if:equals=commit)%(objecttype)%(then)%(objectname)%(else)%(if:equals=commit)%(*objecttype)%(then)%(*objectname)%(end)%(end)' refs/tags
    )
  fi
  g_find_commits "$g_depth" "${g_starts[@]}" && g_store_trees "${g_trees[@]}" &&
    printf '%s\n' "${g_commits[@]}" "${g_tagged[@]}" |
    git --git-dir="$g_source" -c core.fsync=none pack-objects -q "$1/objects/pack/pack" >/dev/null || return
  printf '%s\n' "$g_store/objects" >"$1/objects/info/alternates" || return
  ((${#g_cut[@]} == 0)) || printf '%s\n' "${g_cut[@]}" >"$1/shallow"
}

g_set_refs() { # GITDIR: as a fetch and a checkout would leave them
  local g_head=$g_oid
  {
    [[ $g_depth == 0 ]] && g_list_refs refs/heads refs/tags
    [[ $g_depth != 0 && $g_tags == 1 ]] && g_list_refs refs/tags
    case $g_ref in
      refs/heads/?*) printf 'update refs/remotes/origin/%s %s\nupdate %s %s\n' "${g_ref#refs/heads/}" "$g_oid" "$g_ref" "$g_oid" ;;
      refs/pull/?*) printf 'update refs/remotes/pull/%s %s\n' "${g_ref#refs/pull/}" "$g_oid" ;;
      refs/tags/?*) printf 'update %s %s\n' "$g_ref" "$g_oid" ;;
    esac
  } | g_last_refs | git --git-dir="$1" -c core.fsync=none update-ref --stdin || return
  # While it is written, git would find no repository here.
  [[ -z $g_tidying ]] || g_tidied
  [[ $g_ref == refs/heads/?* ]] && g_head="ref: $g_ref"
  printf '%s\n' "$g_head" >"$1/HEAD"
}

g_last_refs() { # a ref may be named twice (the branch itself among all): the last one counts
  local g_verb g_name g_hash
  local -A g_all=()
  while read -r g_verb g_name g_hash; do g_all[$g_name]=$g_hash; done
  for g_name in "${!g_all[@]}"; do printf 'update %s %s\n' "$g_name" "${g_all[$g_name]}"; done
}

g_build() { # GITDIR WORKTREE-LINE: the repository, before any file is written
  g_make_repository "$1" "$g_origin" "$g_source/objects" "$2" || return
  if [[ $g_reused && -z $2 ]]; then
    g_tidy &
    g_tidying=$!
  fi
  if [[ $g_depth == 0 ]]; then
    [[ ! -s $g_source/shallow ]] || cp -- "$g_source/shallow" "$1/shallow" || return
  else
    g_shallow_objects "$1" || return
  fi
  g_set_refs "$1"
}
