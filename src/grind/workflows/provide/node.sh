# GRIND_NODE: the program. GRIND_REGISTRY, GRIND_SCOPE: what the action would write to .npmrc.
bin=$root/node-bin
rm -rf "$bin"
mkdir -p "$bin"
# A folder of links, not the program's own folder: that may be /usr/bin, which would hide what other
# steps have put on the PATH.
for name in node npm npx corepack; do
  [ ! -e "${GRIND_NODE%/*}/$name" ] || ln -s "${GRIND_NODE%/*}/$name" "$bin/$name"
done
npm_folders
front "$bin"
if [ -n "${GRIND_REGISTRY:-}" ]; then
  scope=${GRIND_SCOPE:+@${GRIND_SCOPE#@}:}
  printf '%sregistry=%s\n' "$scope" "$GRIND_REGISTRY" >"$root/npmrc"
  give NPM_CONFIG_USERCONFIG "$root/npmrc"
fi
echo "Node.js $("$GRIND_NODE" --version) from $GRIND_NODE"
