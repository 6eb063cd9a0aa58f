# Check a commit out into a folder of its own, once. Usage: unpack.sh REPOSITORY COMMIT FOLDER
# It is a git repository that borrows REPOSITORY's objects: Nix takes a flake in a folder of one only from git. The
# few that were used last stay beside it; py-roots is for what Nix keeps for them.

set -u
g_repository=$1 g_commit=$2 g_folder=$3
if [[ ! -d $g_folder ]]; then
  mkdir -p -m 0700 -- "${g_folder%/*}" "${g_folder%/*/*}/py-roots" || exit 1
  g_aside=$g_folder.$$
  git init -q --template= -- "$g_aside" || exit 1
  mkdir -p -- "$g_aside/.git/objects/info" || exit 1
  printf '%s\n' "$g_repository/objects" >"$g_aside/.git/objects/info/alternates" || exit 1
  git -C "$g_aside" -c core.hooksPath=/dev/null reset -q --hard "$g_commit" || exit 1
  mv -T -- "$g_aside" "$g_folder" 2>/dev/null || rm -rf -- "$g_aside"
fi
touch -- "$g_folder" || exit 1
mapfile -t g_others < <(ls -1t -- "${g_folder%/*}")
for g_name in "${g_others[@]:5}"; do
  rm -rf -- "${g_folder%/*}/$g_name"
done
exit
