# GRIND_UV_PYTHON: the Python to use; GRIND_ACTIVATE: `true` makes and activates an environment.
pip_folders
mkdir -p "$root/uv-tools/bin"
give UV_TOOL_DIR "$root/uv-tools"
give UV_TOOL_BIN_DIR "$root/uv-tools/bin"
front "$root/uv-tools/bin"
[ -z "${GRIND_UV_PYTHON:-}" ] || give UV_PYTHON "$GRIND_UV_PYTHON"
version=$(uv --version); version=${version#uv }
answer uv-version "${version%% *}"
answer uv-path "$(command -v uv)"
if [ "${GRIND_ACTIVATE:-false}" = true ]; then
  uv venv --quiet --clear ${GRIND_UV_PYTHON:+--python "$GRIND_UV_PYTHON"} "$root/uv-venv"
  give VIRTUAL_ENV "$root/uv-venv"
  front "$root/uv-venv/bin"
fi
echo "uv $version"
