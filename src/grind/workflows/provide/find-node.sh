# Print every Node.js on this host: version, name of its LTS line (or -), path.
# With arguments: those of these folders, by the path that is given.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
seen=:
look() {
  local program=$1 real
  [ -x "$program" ] || return 0
  real=$(readlink -f "$program"); case $seen in *":$real:"*) return 0 ;; esac; seen+=$real:
  "$program" -e 'console.log([process.versions.node, process.release.lts || "-", process.argv[1] || process.execPath].join("\t"))' -- ${given:+"$given"} </dev/null 2>/dev/null
  return 0
}
for folder; do given=$folder/bin/node; look "$given"; done
[ $# = 0 ] || exit 0
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do look "$folder/node"; done
for program in \
  "${NVM_DIR:-$home/.nvm}"/versions/node/*/bin/node \
  "$home"/.local/share/fnm/node-versions/*/installation/bin/node \
  "$home"/.fnm/node-versions/*/installation/bin/node \
  "$home"/.volta/tools/image/node/*/bin/node \
  "$home"/.local/share/mise/installs/node/*/bin/node \
  "$home"/.asdf/installs/nodejs/*/bin/node \
  "$home"/n/bin/node \
  "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/node/*/*/bin/node; do
  look "$program"
done
exit 0
