# For every job: what a runner has without any setup action, with installs kept in the job.
npm_folders
go_folders
gem_folders
cargo_home
rustup=$(command -v rustup || true)
[ -n "$rustup" ] || [ ! -x "$home/.cargo/bin/rustup" ] || rustup=$home/.cargo/bin/rustup
if [ -n "$rustup" ]; then
  give RUSTUP_HOME "${RUSTUP_HOME:-$home/.rustup}"
  give RUSTUP_AUTO_INSTALL 0
  rustup_proxies "${rustup%/*}"
fi
pip_folders
# Python: an environment of the job's own, made when the first step asks for it, since most jobs do
# not. Its bin folder stands before the door-keepers, so they are met only once.
python=
for program in python3 python; do
  if python=$(command -v "$program"); then break; fi
done
if [ -n "$python" ]; then
  venv=$root/python-base
  mkdir -p "$root/python-door"
  {
    printf '#!/usr/bin/env bash\nset -euo pipefail\nvenv=%q\npython=%q\nold=%q\n' "$venv" "$python" "$PATH"
    cat <<'DOOR'
exec 9>"$venv.lock"
flock 9
if [ ! -x "$venv/bin/python" ]; then
  rm -rf "$venv.new"
  PATH=$old "$python" -m venv "$venv" >"$venv.log" 2>&1 || {
    if PATH=$old command -v uv >/dev/null; then
      PATH=$old uv venv --quiet --seed --no-python-downloads --clear --python "$python" "$venv"
    else
      cat "$venv.log" >&2; rm -rf "$venv"; exit 1
    fi
  }
fi
exec 9>&-
exec "$venv/bin/${0##*/}" "$@"
DOOR
  } >"$root/python-door/python3"
  chmod 755 "$root/python-door/python3"
  for name in python pip pip3; do ln -sf python3 "$root/python-door/$name"; done
  front "$root/python-door"
  front "$venv/bin"
fi
