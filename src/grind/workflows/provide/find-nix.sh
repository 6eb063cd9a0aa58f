# Print what nixpkgs, as a lock pins it, has of a language: `have` or `lacks`, attribute, version,
# path; whether the path is in this host's store decides which. Nothing is fetched, built or
# instantiated: the source must be in the store already.
# $1: flake.nix, $2: flake.lock, $3: the source's SHA-256 in base64, $4: the attributes' names.
command -v nix >/dev/null && command -v nix-store >/dev/null || exit 0
source=$(nix-store --print-fixed-path --recursive sha256 "$3" source 2>/dev/null) || exit 0
valid() { nix-store --check-validity "$1" >/dev/null 2>&1; }
valid "$source" || { printf 'nosource\n'; exit 0; }
case $(uname -s) in Darwin) system=darwin ;; *) system=linux ;; esac
case $(uname -m) in arm64) system=aarch64-$system ;; *) system=$(uname -m)-$system ;; esac
folder=$(mktemp -d) || exit 0
trap 'rm -rf "$folder"' EXIT
printf '%s' "$1" >"$folder/flake.nix"
printf '%s' "$2" >"$folder/flake.lock"
# `--offline` still tries once: where a proxy would answer, there shall be none.
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 all_proxy=http://127.0.0.1:9
nix --extra-experimental-features 'nix-command flakes' eval --offline --read-only --raw \
  --inputs-from "path:$folder" "nixpkgs#legacyPackages.$system" --apply '
  packages: let
    names = builtins.filter (name: builtins.match "'"$4"'" name != null) (builtins.attrNames packages);
    line = name: let
      it = packages.${name};
      told = if it ? version && it ? outPath
        then "${name}\t${it.version}\t${builtins.unsafeDiscardStringContext it.outPath}\n" else "";
      tried = builtins.tryEval told;
    in if tried.success then tried.value else "";
  in builtins.concatStringsSep "" (map line names)' </dev/null 2>/dev/null |
  while IFS=$'\t' read -r name version path; do
    if valid "$path"; then word=have; else word=lacks; fi
    printf '%s\t%s\t%s\t%s\n' "$word" "$name" "$version" "$path"
  done
exit 0
