# Print every Go on this host: version, path. With arguments: those of these folders.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
seen=:
look() {
  local program=$1 real version root
  [ -x "$program" ] || return 0
  real=$(readlink -f "$program"); case $seen in *":$real:"*) return 0 ;; esac; seen+=$real:
  version=$(GOTOOLCHAIN=local GOFLAGS='' "$program" env GOVERSION 2>/dev/null </dev/null) || return 0
  root=$(GOTOOLCHAIN=local GOFLAGS='' "$program" env GOROOT 2>/dev/null </dev/null) || return 0
  printf '%s\t%s\n' "${version#go}" "$root/bin/go"
}
for folder; do look "$folder/bin/go"; done
[ $# = 0 ] || exit 0
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do look "$folder/go"; done
for program in /usr/local/go/bin/go "$home"/sdk/go*/bin/go \
  "$home"/go/pkg/mod/golang.org/toolchain@*/bin/go \
  "$home"/.local/share/mise/installs/go/*/bin/go "$home"/.asdf/installs/golang/*/go/bin/go \
  "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/go/*/*/bin/go; do
  look "$program"
done
exit 0
