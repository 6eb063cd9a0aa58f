#!/bin/sh
# Build the virtual environment that the Makefile uses: exact versions, checked hashes, nothing global.
# Usage: tools/bootstrap.sh VENV_DIR
set -eu
venv=$1

ok() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
python=
for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
  if command -v "$name" >/dev/null 2>&1 && ok "$name"; then python=$name; break; fi
done
[ -n "$python" ] || { echo "grind needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 2; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  # Debian and Ubuntu keep venv in a package of its own.
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  else
    echo "$python has no venv module: install your distribution's python3-venv package" >&2; exit 2
  fi
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "setting up $venv ($("$venv/bin/python" --version)) …"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
