# Sends its standard input to HOST PORT and returns what comes back, at most LIMIT bytes.
#
# Arguments: HOST PORT LIMIT MILLISECONDS. Standard output: NUL, "grind-probe", the clock, a line's
# end; once connected NUL, "connected", a line's end; then the bytes as they came. Exit code 0 when
# the other side has closed (or LIMIT bytes are there), 98 without a connection, 124 when the time
# was over. Needs bash and coreutils only: a bare NixOS host has neither curl nor nc.
set -u
export LC_ALL=C
begun=${EPOCHREALTIME/[.,]/}
printf '\0grind-probe %s\n' "$EPOCHREALTIME"
exec 3<>"/dev/tcp/$1/$2" || exit 98
printf '\0connected\n'
[[ $3 -gt 0 ]] || exit 0
cat >&3 || exit 99
left=$(($4 - (${EPOCHREALTIME/[.,]/} - begun) / 1000))
((left > 0)) || exit 124
printf -v left '%d.%03d' $((left / 1000)) $((left % 1000))
# head is what counts and cat what is ended: head writes out what it has when cat is gone.
timeout "$left" cat <&3 | head -c "$3"
ended=${PIPESTATUS[0]}
((ended == 141)) && ended=0 # there was more than LIMIT
exit "$ended"
