# Become a program whose input and output are this session's own. Usage: pass.sh FILE
# FILE has NUL-ended fields: the folder, the number of NAME=VALUE pairs, the pairs, the program and its arguments. It
# is read once and removed. FILE.pid then says which process it became, the leader of its group.

g_file=$1
mapfile -d '' -t g_fields <"$g_file" || exit 125
rm -f -- "$g_file"
printf '%s\n' "$$" >"$g_file.pid" || exit 125
cd -- "${g_fields[0]}" || exit 126
g_count=${g_fields[1]}
for g_pair in "${g_fields[@]:2:g_count}"; do export "${g_pair?}"; done
exec "${g_fields[@]:2+g_count}"
exit
