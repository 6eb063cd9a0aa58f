# Common to all scripts that give a job its environment. Values come in GRIND_* variables only.
set -euo pipefail
umask 022
root=$RUNNER_TEMP/_grind
cache=${GRIND_CACHE:-$root/cache}
# The user's own home folder is not the job's: without HOME, bash asks the system for it.
job_home=$HOME
unset HOME
home=~
export HOME=$job_home
[[ $home != [/~] ]] || home=$HOME

# Programs that need not be started are not: every job waits for these scripts.
folders() { # FOLDER...
  local folder missing=()
  for folder; do [ -d "$folder" ] || missing+=("$folder"); done
  [ ${#missing[@]} = 0 ] || mkdir -p "${missing[@]}"
}
folders "$root" "$cache"
program() { # NAME: its path is in $path, unless it is not on the PATH
  hash -r
  path=
  hash "$1" 2>/dev/null && path=${BASH_CMDS[$1]-} && [ -n "$path" ]
}

front() { printf '%s\n' "$1" >>"$GITHUB_PATH"; }
# A value may hold any line: the delimiter is one that it does not have.
_pair() {
  local end=GRIND_$RANDOM$RANDOM
  while [[ $2 == *"$end"* ]]; do end=GRIND_$RANDOM$RANDOM; done
  printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end"
}
give() { _pair "$1" "$2" >>"$GITHUB_ENV"; }
answer() { _pair "$1" "$2" >>"$GITHUB_OUTPUT"; }

npm_needs=("$root/npm/bin" "$root/npm/lib" "$cache/npm" "$cache/yarn" "$cache/corepack")
pip_needs=("$root/pipx/bin" "$cache/pip" "$cache/uv")
cargo_needs=("$root/cargo/bin" "$cache/cargo/registry" "$cache/cargo/git")
go_needs=("$root/go/bin" "$cache/go/mod" "$cache/go/build")
gem_needs=("$root/gems/bin" "$root/bundle")

# npm's own folders: what is installed globally stays in the job, what is downloaded is shared.
npm_folders() {
  folders "${npm_needs[@]}"
  give NPM_CONFIG_PREFIX "$root/npm"
  give NPM_CONFIG_CACHE "$cache/npm"
  give YARN_CACHE_FOLDER "$cache/yarn"
  give COREPACK_HOME "$cache/corepack"
  give PNPM_HOME "$root/npm/bin"
  front "$root/npm/bin"
}
# pip and its kin: caches shared, programs in the job.
pip_folders() {
  folders "${pip_needs[@]}"
  give PIP_CACHE_DIR "$cache/pip"
  give UV_CACHE_DIR "$cache/uv"
  give PIPX_HOME "$root/pipx"
  give PIPX_BIN_DIR "$root/pipx/bin"
  front "$root/pipx/bin"
}
# An own CARGO_HOME whose downloads are the shared ones; cargo locks them itself.
cargo_home() {
  local name missing=()
  folders "${cargo_needs[@]}"
  : >>"$cache/cargo/.package-cache"
  for name in registry git .package-cache; do
    [ -e "$root/cargo/$name" ] || missing+=("$cache/cargo/$name")
  done
  [ ${#missing[@]} = 0 ] || ln -s -t "$root/cargo" "${missing[@]}"
  give CARGO_HOME "$root/cargo"
  front "$root/cargo/bin"
}
# rustup's proxies, under the names they go by.
rustup_proxies() {
  local name beside=()
  for name in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver cargo-miri rust-gdb rust-lldb rust-analyzer rustup; do
    if [ "$1/$name" -ef "$1/rustup" ]; then
      beside+=("$1/$name")
    else
      ln -sf "$1/rustup" "$root/cargo/bin/$name"
    fi
  done
  [ ${#beside[@]} = 0 ] || ln -sf -t "$root/cargo/bin" "${beside[@]}"
}
# A virtual environment with what ensurepip puts into one. That takes seconds: it is made once for each
# interpreter, and copied.
python_environment() { # PYTHON VENV CACHE
  local home='' version='' name text key made aside header file
  "$1" -m venv --without-pip "$2" || return
  while IFS=' =' read -r name text; do
    case $name in home) home=$text ;; version | version_info) version=$text ;; esac
  done <"$2/pyvenv.cfg"
  # Debian packs the wheels of ensurepip apart.
  key=$(stat -L -c %Y -- "$2/bin/python" /usr/share/python-wheels 2>/dev/null) || true
  key=${home//\//%}-$version-${key//$'\n'/-} made=$3/venv/$key
  # Neither a name that is too long, nor a path to be written into scripts that somebody else has quoted.
  if [ ${#key} -gt 200 ] || [[ $2 == *[\"\'\\\$\`[:cntrl:]]* ]]; then
    "$1" -m venv --clear "$2"
    return
  fi
  if [ ! -d "$made" ]; then
    aside=$made.new.$$
    rm -rf "$aside"
    "$1" -m venv "$aside" || { rm -rf "$aside"; return 1; }
    # Of two that made it one is kept: they are alike.
    mv -T "$aside" "$made" 2>/dev/null || rm -rf "$aside"
  fi
  cp -a "$made"/lib/*/site-packages/. "$2"/lib/*/site-packages/ || return
  header=$2/bin/python3
  if [ ${#header} -gt 124 ] || [[ $header == *' '* ]]; then
    # As pip writes it for a path that the kernel would not take.
    [[ $header != *' '* ]] || header="\"$header\""
    printf -v header '#!/bin/sh\n'"'''exec'"' %s "$0" "$@"\n'"' '''" "$header"
  else
    header="#!$header"
  fi
  for file in "$made"/bin/*; do
    name=$2/bin/${file##*/}
    [ ! -e "$name" ] || continue
    text=$(<"$file") && text=${text#*$'\n'} && text=${text#"'''exec'"*$'\n'"' '''"$'\n'}
    cp -p "$file" "$name" && printf '%s\n%s\n' "$header" "$text" >"$name" || return
  done
}
go_folders() {
  folders "${go_needs[@]}"
  give GOPATH "$root/go"
  give GOMODCACHE "$cache/go/mod"
  give GOCACHE "$cache/go/build"
  give GOTOOLCHAIN local
  front "$root/go/bin"
}
gem_folders() {
  folders "${gem_needs[@]}"
  give GEM_HOME "$root/gems"
  give BUNDLE_PATH "$root/bundle"
  give BUNDLE_USER_HOME "$root/bundler"
  front "$root/gems/bin"
}
# GRIND_KEEP: store folders of Nix that the job uses, one a line. A root in the job's own folder keeps
# them from a garbage collection meanwhile; nothing is fetched for it.
while IFS= read -r folder; do
  [ -n "$folder" ] || continue
  mkdir -p "$root/keep"
  nix-store --realise "$folder" --option substitute false --add-root "$root/keep/${folder##*/}" \
    </dev/null >/dev/null 2>&1 || true
  [ -e "$folder" ] || { echo "$folder has gone from the Nix store since the plan was made" >&2; exit 1; }
done <<<"${GRIND_KEEP:-}"
