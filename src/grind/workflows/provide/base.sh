# For every job: what a runner has without any setup action, with installs kept in the job.
folders "${npm_needs[@]}" "${go_needs[@]}" "${gem_needs[@]}" "${cargo_needs[@]}" "${pip_needs[@]}" "$root/python-door"
npm_folders
go_folders
gem_folders
cargo_home
program rustup || [ ! -x "$home/.cargo/bin/rustup" ] || path=$home/.cargo/bin/rustup
if [ -n "$path" ]; then
  give RUSTUP_HOME "${RUSTUP_HOME:-$home/.rustup}"
  give RUSTUP_AUTO_INSTALL 0
  rustup_proxies "${path%/*}"
fi
pip_folders
# Python: an environment of the job's own, made when the first step asks for it, since most jobs do
# not. Its bin folder stands before the door-keepers, so they are met only once.
if program python3 || program python; then
  venv=$root/python-base
  printf -v keeper '#!/usr/bin/env bash\nset -euo pipefail\nvenv=%q\npython=%q\nold=%q\ncache=%q\n%s\n' \
    "$venv" "$path" "$PATH" "$cache" "$(declare -f python_environment)"
  keeper+='exec 9>"$venv.lock"
flock 9
if [ ! -x "$venv/bin/python" ]; then
  PATH=$old python_environment "$python" "$venv" "$cache" >"$venv.log" 2>&1 || {
    if PATH=$old command -v uv >/dev/null; then
      PATH=$old uv venv --quiet --seed --no-python-downloads --clear --python "$python" "$venv"
    else
      cat "$venv.log" >&2; rm -rf "$venv"; exit 1
    fi
  }
fi
exec 9>&-
exec "$venv/bin/${0##*/}" "$@"
'
  keepers=("$root"/python-door/{python3,python,pip,pip3})
  for name in "${keepers[@]}"; do printf %s "$keeper" >"$name"; done
  chmod 755 "${keepers[@]}"
  front "$root/python-door"
  front "$venv/bin"
fi
