# The files of a checkout: written, kept between runs, and brought back to exactly the tree.
#
# Limit: git compares times by the second. A file whose mode (not content) a step changed within the
# second in which it was checked out may keep that mode, as far as git does not record it.

g_encode() { # PATH → g_value: one file name
  g_value=${1//%/%25}
  g_value=r${g_value//\//%2F}
}

g_remove_all() { # FOLDER: empty it, whatever is in it
  local g_f
  [[ -r $1 && -w $1 && -x $1 ]] || chmod u+rwx -- "$1" || return
  shopt -s dotglob
  for g_f in "$1"/*; do g_empty "$g_f"; done
  shopt -u dotglob
}

g_place() { # → g_target, g_reused: an empty folder, or the files of the last run
  local g_at=$g_workspace g_rest=$g_path
  g_reused=
  while [[ $g_rest ]]; do
    g_at+=/${g_rest%%/*}
    [[ ! -L $g_at ]] || g_refuse "the checkout's path goes through a link: $g_path"
    [[ $g_rest == */* ]] || break
    g_rest=${g_rest#*/}
  done
  g_target=$g_at
  [[ -d $g_target ]] || mkdir -p -- "$g_target" || return
  [[ $g_clean == 1 || ! -e $g_target/.git ]] || { g_empty "$g_target/.git"; return; }
  g_remove_all "$g_target" || return
  # A folder takes the place of an empty one.
  if [[ -f $g_keep/index && -d $g_keep/tree && ! -L $g_keep/tree ]]; then
    mv -T -- "$g_keep/tree" "$g_target" && chmod 0755 -- "$g_target" && g_reused=1
    [[ -d $g_target ]] || mkdir -p -- "$g_target"
  fi
}

# The files of the last run, back to exactly what they were: first what does not belong to them is removed.
# That needs the index alone, and goes on beside the making of the repository (`.git` must be one by then).
g_tidy() { # false when in doubt
  local g_link
  cd -- "$g_target" && cp -p -- "$g_keep/index" .git/index || return
  if [[ -s $g_keep/links ]]; then
    # A repository within is not looked into by git's cleaning.
    while IFS= read -r -d '' g_link; do
      g_plain_path "$g_target" "$g_link" && { g_remove_all "$g_target/$g_link" || return; }
    done <"$g_keep/links"
  fi
  g_git_quietly clean -ffdxq || { chmod -R u+rwX -- "$g_target" && g_git_quietly clean -ffdxq; }
}

g_tidied() { # wait until that is over; the same answer however often it is asked
  if [[ $g_tidying ]]; then
    wait "$g_tidying"
    g_was_tidied=$? g_tidying=
  fi
  return "$g_was_tidied"
}

g_restore() { # false when in doubt
  # Compares every file with the index, and writes those that differ. (Asking `git status` afterwards was
  # a second walk that could tell nothing else: what either cannot look into, it says.)
  g_tidied && g_git_quietly reset -q --hard "$g_oid"
}

g_git_quietly() { # ARGUMENT...: true when git has neither failed nor had anything to say
  local g_said
  g_said=$(git "$@" 2>&1) && [[ -z $g_said ]]
}

g_write_files() { # the tree of g_oid into g_target, whose .git is made
  cd -- "$g_target" || return
  if [[ $g_reused ]]; then
    g_restore && return
    printf 'the files of the last run could not be reused; writing them all\n'
    rm -f -- .git/index .git/index.lock
    shopt -s dotglob
    local g_f
    for g_f in "$g_target"/*; do [[ $g_f == */.git ]] || g_empty "$g_f" || return; done
    shopt -u dotglob
  fi
  git reset -q --hard "$g_oid"
}

# What a reset writes into the index is the commit's tree, so that this is found while it writes.
g_find_links() { # the repositories within, each ended by NUL
  local g_entry
  g_entry=$(git --git-dir="$g_source" ls-tree -r "$g_oid") || return
  [[ $g_entry == *160000\ * ]] || return 0
  git --git-dir="$g_source" ls-tree -r -z "$g_oid" | while IFS= read -r -d '' g_entry; do
    [[ $g_entry != 160000\ * ]] || printf '%s\0' "${g_entry#*$'\t'}"
  done
  return "${PIPESTATUS[0]}"
}

g_keep_index() { # note what was written, for the next run
  local -a g_links=()
  wait "$g_finding" && mapfile -d '' -t g_links <"$g_keep/links.new" && printf '%s\0' "$g_path" >"$g_keep/path" || return
  : >"$g_keep/links"
  ((${#g_links[@]} == 0)) || printf '%s\0' "${g_links[@]}" >"$g_keep/links"
  cp -p -- .git/index "$g_keep/index"
}

g_has_commit() {
  git --git-dir="$g_source" cat-file -e "$g_oid^{commit}" 2>/dev/null
}

g_checkout() { # g_more: oid, ref, path, depth, clean, tags, submodules, origin
  local g_oid=${g_more[0]} g_ref=${g_more[1]} g_path=${g_more[2]} g_depth=${g_more[3]} g_clean=${g_more[4]}
  local g_tags=${g_more[5]} g_submodules=${g_more[6]} g_origin=${g_more[7]}
  local g_value g_keep g_source=$g_repository g_tidying= g_was_tidied=1 g_finding
  type -P git >/dev/null || g_refuse 'git is not on the PATH of this host; install it to check out'
  g_git_environment
  # With a depth, the first thing asked is what the commit's tree is.
  [[ $g_depth != 0 ]] || g_has_commit || g_refuse "the private repository does not hold the commit $g_oid"
  g_encode "$g_path"
  g_keep=$g_job/kept/$g_value
  if ! g_place || ! g_build "$g_target/.git" ''; then
    g_tidied
    g_has_commit || g_refuse "the private repository does not hold the commit $g_oid"
    g_refuse 'the checkout could not be made'
  fi
  # Until the files are written, nothing is known about them.
  if [[ -e $g_keep/index && -z $g_reused ]]; then g_empty "$g_keep"; fi
  [[ -d $g_keep ]] || mkdir -p -- "$g_keep" || g_refuse 'the checkout could not be kept (is the disk full?)'
  g_find_links >"$g_keep/links.new" &
  g_finding=$!
  g_write_files || g_refuse 'the files of the checkout could not be written'
  g_keep_index || g_refuse 'the checkout could not be kept (is the disk full?)'
  if [[ $g_submodules != false ]]; then g_checkout_submodules "$g_target" "$g_target/.git" "$g_origin" "$g_source"; fi
  printf 'Checked out %s as %s%s\n' "$g_oid" "${g_ref:-a detached head}" "${g_path:+ into $g_path}"
}

g_resolve_url() { # URL BASE → g_value: a relative URL of a submodule
  local g_url=$1 g_base=${2%/}
  while [[ $g_url == ./* || $g_url == ../* ]]; do
    [[ $g_url == ../* ]] && g_base=${g_base%[/:]*}
    g_url=${g_url#*/}
  done
  if [[ $g_url == "$1" ]]; then g_value=$1; else g_value=$g_base/$g_url; fi
}

g_find_module() { # NAME BASE → g_found_at: where its objects are on this host
  local g_place
  [[ /$1/ != */../* && $1 != /* ]] || g_refuse "not a name for a submodule: $1"
  for g_place in "$2/modules/$1" "$2/../modules/$1" "$2/../../modules/$1"; do
    [[ -d $g_place/objects ]] && { g_found_at=$g_place; return 0; }
  done
  return 1
}

g_checkout_submodules() { # WORKTREE GITDIR ORIGIN SOURCE
  local g_top=$1 g_dir=$2 g_above=$3 g_from=$4 g_link g_entry g_module g_url g_found_at
  local -a g_links=()
  local -A g_names=()
  while IFS= read -r -d '' g_entry; do [[ $g_entry == 160000\ * ]] && g_links+=("$g_entry"); done < <(git -C "$g_top" ls-files -s -z)
  ((${#g_links[@]})) || return 0
  while IFS= read -r -d '' g_entry; do
    g_module=${g_entry%%$'\n'*} g_module=${g_module#submodule.} g_module=${g_module%.path}
    g_names[${g_entry#*$'\n'}]=$g_module
  done < <(git -C "$g_top" config -z -f .gitmodules --get-regexp '^submodule\..*\.path$')
  for g_link in "${g_links[@]}"; do
    g_entry=${g_link#*$'\t'} g_link=${g_link#* }
    g_module=${g_names[$g_entry]-}
    [[ $g_module ]] || g_refuse "no url in .gitmodules for the submodule at $g_entry"
    g_find_module "$g_module" "$g_from" ||
      g_refuse "the objects of the submodule $g_module are not on this host; run 'git submodule update --init' in your repository"
    g_url=$(git -C "$g_top" config -f .gitmodules --get "submodule.$g_module.url")
    g_resolve_url "$g_url" "$g_above"
    git --git-dir="$g_dir" config "submodule.$g_module.url" "$g_value"
    git --git-dir="$g_dir" config "submodule.$g_module.active" true
    g_one_submodule "$g_top/$g_entry" "$g_dir/modules/$g_module" "${g_link%% *}" "$g_value" "$g_found_at"
  done
}

g_one_submodule() { # WORKTREE GITDIR OID ORIGIN SOURCE
  local g_oid=$3 g_ref= g_origin=$4 g_source=$5 g_target=$1 g_tags=0
  git --git-dir="$g_source" cat-file -e "$g_oid^{commit}" 2>/dev/null ||
    g_refuse "the commit $g_oid of the submodule ${2##*/modules/} is not on this host; run 'git submodule update --init' in your repository"
  mkdir -p -- "$1" && g_plain_path "$g_workspace" "${1#"$g_workspace"/}" && g_remove_all "$1" || g_refuse "no folder for the submodule at $1"
  g_build "$2" "$1" && printf 'gitdir: %s\n' "$2" >"$1/.git" && git -C "$1" reset -q --hard "$g_oid" ||
    g_refuse "the submodule at $1 could not be checked out"
  if [[ $g_submodules == recursive ]]; then g_checkout_submodules "$1" "$2" "$4" "$5"; fi
}
