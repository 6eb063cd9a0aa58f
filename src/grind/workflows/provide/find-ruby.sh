# Print every Ruby on this host: engine, version, path. With arguments: those of these folders.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
seen=:
look() {
  local program=$1 real
  [ -x "$program" ] || return 0
  real=$(readlink -f "$program"); case $seen in *":$real:"*) return 0 ;; esac; seen+=$real:
  "$program" --disable-gems -rrbconfig -e 'puts [RUBY_ENGINE, RUBY_VERSION, RbConfig.ruby].join("\t")' </dev/null 2>/dev/null
  return 0
}
for folder; do look "$folder/bin/ruby"; done
[ $# = 0 ] || exit 0
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do look "$folder/ruby"; done
for program in "$home"/.rbenv/versions/*/bin/ruby "$home"/.rvm/rubies/*/bin/ruby \
  "$home"/.rubies/*/bin/ruby /opt/rubies/*/bin/ruby \
  "$home"/.local/share/mise/installs/ruby/*/bin/ruby "$home"/.asdf/installs/ruby/*/bin/ruby \
  "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/Ruby/*/*/bin/ruby; do
  look "$program"
done
exit 0
