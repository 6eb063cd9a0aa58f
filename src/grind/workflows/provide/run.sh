# GRIND_ARGV: the command, one argument a line. GRIND_DIRECTORY: where, relative to the workspace.
mapfile -t argv <<<"$GRIND_ARGV"
cd "${GRIND_DIRECTORY:-.}"
printf '+'
printf ' %q' "${argv[@]}"
printf '\n'
exec "${argv[@]}"
