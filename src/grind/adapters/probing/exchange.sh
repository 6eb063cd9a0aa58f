# Sends its standard input to HOST PORT and returns what comes back, at most LIMIT bytes.
#
# Arguments: HOST PORT LIMIT. Standard output: NUL, "grind-probe", the clock, a line's end; once
# connected NUL, "connected", a line's end; then the bytes as they came. Exit code 0 when the other
# side has closed (or LIMIT bytes are there). How long it may take is the business of `timeout`.
# Needs bash and coreutils only: a bare NixOS host has neither curl nor nc.
set -u
export LC_ALL=C
printf '\0grind-probe %s\n' "$EPOCHREALTIME"
exec 3<>"/dev/tcp/$1/$2" || exit 98
printf '\0connected\n'
[[ $3 -gt 0 ]] || exit 0
cat >&3 || exit 99
exec head -c "$3" <&3
