# GRIND_NAME: the artifact, or GRIND_PATTERN for several; GRIND_PATH: where to;
# GRIND_MERGE: `true` puts several into one folder. GRIND_ARTIFACTS: the run's folder.
mkdir -p "${GRIND_PATH:-.}"
path=${GRIND_PATH:-.}
answer download-path "$(realpath -s -- "$path")"
if [ -n "${GRIND_NAME:-}" ]; then
  [ -d "$GRIND_ARTIFACTS/$GRIND_NAME" ] || { echo "::error::Artifact not found for name: $GRIND_NAME"; exit 1; }
  cp -a -- "$GRIND_ARTIFACTS/$GRIND_NAME/." "$path/"
  exit 0
fi
shopt -s nullglob
for folder in "$GRIND_ARTIFACTS"/*/; do
  name=${folder%/}; name=${name##*/}
  # shellcheck disable=SC2053 # a pattern on purpose
  [[ $name == ${GRIND_PATTERN:-*} ]] || continue
  if [ "${GRIND_MERGE:-false}" = true ]; then to=$path; else to=$path/$name; fi
  mkdir -p "$to"
  cp -a -- "$folder." "$to/"
done
