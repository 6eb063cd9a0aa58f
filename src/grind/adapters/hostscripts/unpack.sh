# Check a commit out into a folder of its own, once. Usage: unpack.sh REPOSITORY COMMIT FOLDER
# It is a git repository that borrows REPOSITORY's objects: Nix takes a flake in a folder of one only from git. The
# few that were used last stay beside it; py-roots is for what Nix keeps for them.
set -u
repository=$1 commit=$2 folder=$3
if [[ ! -d $folder ]]; then
  mkdir -p -m 0700 -- "${folder%/*}" "${folder%/*/*}/py-roots" || exit 1
  aside=$folder.$$
  git init -q --template= -- "$aside" || exit 1
  mkdir -p -- "$aside/.git/objects/info" || exit 1
  printf '%s\n' "$repository/objects" >"$aside/.git/objects/info/alternates" || exit 1
  git -C "$aside" -c core.hooksPath=/dev/null reset -q --hard "$commit" || exit 1
  mv -T -- "$aside" "$folder" 2>/dev/null || rm -rf -- "$aside"
fi
touch -- "$folder" || exit 1
mapfile -t others < <(ls -1t -- "${folder%/*}")
for name in "${others[@]:5}"; do
  rm -rf -- "${folder%/*}/$name"
done
