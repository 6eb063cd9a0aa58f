# Print every Python on this host: implementation, version, free-threaded, bits, path.
# With arguments: those of these folders, by the path that is given.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
seen=:
look() {
  local program=$1 real
  [ -x "$program" ] || return 0
  # A real path is asked once; a shim of a version manager has the manager's own path, and is
  # followed by asking it for sys.executable.
  real=$(readlink -f "$program"); case $seen in *":$real:"*) return 0 ;; esac; seen+=$real:
  "$program" -I -S -c 'import sys
version = sys.version_info
kind = sys.implementation.name
text = "%d.%d.%d" % version[:3] + {"final": ""}.get(version[3], "-" + {"alpha": "a", "beta": "b", "candidate": "rc"}.get(version[3], version[3]) + str(version[4]))
base = sys.argv[1] or getattr(sys, "_base_executable", None) or sys.executable
print(kind, text, int("t" in getattr(sys, "abiflags", "")), 64 if sys.maxsize > 2**32 else 32, base, sep="\t")' "${given:-}" </dev/null 2>/dev/null
  return 0
}
for folder; do given=$folder/bin/python3; look "$given"; done
[ $# = 0 ] || exit 0
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
  # A folder of shims is slow to ask; it says here which version is in force, and the manager's own
  # folders below say which others there are.
  case $folder in */shims) look "$folder/python3"; continue ;; esac
  for program in "$folder"/python3 "$folder"/python "$folder"/python3.[0-9] "$folder"/python3.[0-9][0-9] "$folder"/python3.[0-9][0-9]t "$folder"/pypy3 "$folder"/pypy3.[0-9]*; do
    look "$program"
  done
done
for program in \
  "${PYENV_ROOT:-$home/.pyenv}"/versions/*/bin/python \
  "$home"/.local/share/uv/python/*/bin/python3 \
  "$home"/.local/share/mise/installs/python/*/bin/python3 \
  "$home"/.asdf/installs/python/*/bin/python3 \
  "$home"/.rye/py/*/bin/python3 \
  "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/{Python,PyPy}/*/*/bin/python; do
  look "$program"
done
exit 0
