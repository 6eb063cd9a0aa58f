# GRIND_NIX_CONFIG: settings of the workflow that concern evaluation and building.
give NIX_CONFIG "experimental-features = nix-command flakes
${GRIND_NIX_CONFIG:-}"
[ -z "${GRIND_NIX_PATH:-}" ] || give NIX_PATH "$GRIND_NIX_PATH"
nix --version
