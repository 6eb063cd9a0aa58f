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
