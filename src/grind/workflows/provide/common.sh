# Common to all scripts that give a job its environment. Values come in GRIND_* variables only.
set -euo pipefail
umask 022
root=$RUNNER_TEMP/_grind
cache=${GRIND_CACHE:-$root/cache}
mkdir -p "$root" "$cache"
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || home=
home=${home:-$HOME}

front() { printf '%s\n' "$1" >>"$GITHUB_PATH"; }
# A value may hold any line: the delimiter is one that it does not have.
_pair() {
  local end=GRIND_$RANDOM$RANDOM
  while [[ $2 == *"$end"* ]]; do end=GRIND_$RANDOM$RANDOM; done
  printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end"
}
give() { _pair "$1" "$2" >>"$GITHUB_ENV"; }
answer() { _pair "$1" "$2" >>"$GITHUB_OUTPUT"; }

# npm's own folders: what is installed globally stays in the job, what is downloaded is shared.
npm_folders() {
  mkdir -p "$root/npm/bin" "$root/npm/lib" "$cache/npm" "$cache/yarn" "$cache/corepack"
  give NPM_CONFIG_PREFIX "$root/npm"
  give NPM_CONFIG_CACHE "$cache/npm"
  give YARN_CACHE_FOLDER "$cache/yarn"
  give COREPACK_HOME "$cache/corepack"
  give PNPM_HOME "$root/npm/bin"
  front "$root/npm/bin"
}
# pip and its kin: caches shared, programs in the job.
pip_folders() {
  mkdir -p "$root/pipx/bin" "$cache/pip" "$cache/uv"
  give PIP_CACHE_DIR "$cache/pip"
  give UV_CACHE_DIR "$cache/uv"
  give PIPX_HOME "$root/pipx"
  give PIPX_BIN_DIR "$root/pipx/bin"
  front "$root/pipx/bin"
}
# An own CARGO_HOME whose downloads are the shared ones; cargo locks them itself.
cargo_home() {
  local name
  mkdir -p "$root/cargo/bin" "$cache/cargo/registry" "$cache/cargo/git"
  : >>"$cache/cargo/.package-cache"
  for name in registry git .package-cache; do
    [ -e "$root/cargo/$name" ] || ln -s "$cache/cargo/$name" "$root/cargo/$name"
  done
  give CARGO_HOME "$root/cargo"
  front "$root/cargo/bin"
}
# rustup's proxies, under the names they go by.
rustup_proxies() {
  local name
  for name in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver cargo-miri rust-gdb rust-lldb rust-analyzer rustup; do
    ln -sf "$1/rustup" "$root/cargo/bin/$name"
  done
}
go_folders() {
  mkdir -p "$root/go/bin" "$cache/go/mod" "$cache/go/build"
  give GOPATH "$root/go"
  give GOMODCACHE "$cache/go/mod"
  give GOCACHE "$cache/go/build"
  give GOTOOLCHAIN local
  front "$root/go/bin"
}
gem_folders() {
  mkdir -p "$root/gems/bin" "$root/bundle"
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
