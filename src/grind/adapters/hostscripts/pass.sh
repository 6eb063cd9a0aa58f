# Become a program whose input and output are this session's own. Usage: pass.sh FILE
# FILE has NUL-ended fields: the folder, the number of NAME=VALUE pairs, the pairs, the program and its arguments. It
# is read once and removed. FILE.pid then says which process it became, the leader of its group.
file=$1
mapfile -d '' -t fields <"$file" || exit 125
rm -f -- "$file"
printf '%s\n' "$$" >"$file.pid" || exit 125
cd -- "${fields[0]}" || exit 126
count=${fields[1]}
for pair in "${fields[@]:2:count}"; do export "${pair?}"; done
exec "${fields[@]:2+count}"
