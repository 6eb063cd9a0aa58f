# GRIND_PYTHON: the interpreter. GRIND_PYTHON_ALSO: further ones, one a line.
# GRIND_UPDATE_ENVIRONMENT: `false` leaves the PATH alone, as the action's input does.
venv=$root/python-$GRIND_PYTHON_VERSION
if [ ! -x "$venv/bin/python" ]; then
  if ! python_environment "$GRIND_PYTHON" "$venv" "$cache" >"$root/venv.log" 2>&1; then
    rm -rf "$venv"
    # Debian packs ensurepip apart: uv or virtualenv can do without.
    if command -v uv >/dev/null; then
      uv venv --quiet --seed --no-python-downloads --python "$GRIND_PYTHON" "$venv"
    elif command -v virtualenv >/dev/null; then
      virtualenv --quiet --python "$GRIND_PYTHON" "$venv"
    else
      cat "$root/venv.log" >&2
      echo "$GRIND_PYTHON cannot make an environment: install its venv package (python3-venv)" >&2
      exit 1
    fi
  fi
fi
short=${GRIND_PYTHON_VERSION%.*}
for name in python3 "python$short"; do
  [ -e "$venv/bin/$name" ] || ln -s python "$venv/bin/$name"
done
answer python-path "$venv/bin/python"
if [ "${GRIND_UPDATE_ENVIRONMENT:-true}" != false ]; then
  pip_folders
  mkdir -p "$root/python-also"
  while IFS= read -r program; do
    [ -n "$program" ] || continue
    name=$("$program" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    ln -sf "$program" "$root/python-also/$name"
  done <<<"${GRIND_PYTHON_ALSO:-}"
  front "$root/python-also"
  front "$venv/bin"
  give pythonLocation "$venv"
  give Python_ROOT_DIR "$venv"
  give Python3_ROOT_DIR "$venv"
fi
echo "Python $GRIND_PYTHON_VERSION in $venv, made with $GRIND_PYTHON"
