# GRIND_PATHS: patterns, one a line, `!` excludes. GRIND_NAME: the artifact. GRIND_IF_NONE: warn,
# error or ignore. GRIND_ARTIFACTS: the run's folder for artifacts, when the engine gives one.
shopt -s globstar nullglob
[ "${GRIND_HIDDEN:-false}" != true ] || shopt -s dotglob
declare -A chosen=()
while IFS= read -r pattern; do
  [ -n "$pattern" ] || continue
  sign=${pattern%%[!\!]*}; pattern=${pattern#!}; pattern=${pattern/#\~\//$HOME/}
  IFS= ; paths=($pattern); unset IFS
  for path in "${paths[@]}"; do
    [ -e "$path" ] || continue
    if [ -n "$sign" ]; then
      for known in "${!chosen[@]}"; do [[ $known != "$path" && $known != "$path"/* ]] || unset "chosen[$known]"; done
    elif [ -d "$path" ]; then
      while IFS= read -r -d '' file; do chosen[$file]=1; done < <(find "$path" -type f -print0)
    else
      chosen[$path]=1
    fi
  done
done <<<"$GRIND_PATHS"
count=${#chosen[@]}
if [ "$count" = 0 ]; then
  case ${GRIND_IF_NONE:-warn} in
    error) echo "::error::No files were found with the provided path"; exit 1 ;;
    ignore) ;;
    *) echo "::warning::No files were found with the provided path" ;;
  esac
  exit 0
fi
echo "$count files for the artifact $GRIND_NAME"
[ -n "${GRIND_ARTIFACTS:-}" ] || exit 0
target=$GRIND_ARTIFACTS/$GRIND_NAME
if [ -e "$target" ]; then
  [ "${GRIND_OVERWRITE:-false}" = true ] || { echo "::error::an artifact named $GRIND_NAME exists already"; exit 1; }
  rm -rf "$target"
fi
mkdir -p "$target.new"
# The action keeps the tree below the least common folder of what it found.
base=
for file in "${!chosen[@]}"; do
  folder=$(realpath -s -- "${file%/*}"); [[ $file == */* ]] || folder=$PWD
  if [ -z "$base" ]; then base=$folder; fi
  while [[ $folder/ != "$base"/* ]]; do base=${base%/*}; done
done
for file in "${!chosen[@]}"; do
  full=$(realpath -s -- "$file"); relative=${full#"$base"/}
  mkdir -p "$target.new/$(dirname -- "$relative")"
  cp -p -- "$file" "$target.new/$relative"
done
mv "$target.new" "$target"
