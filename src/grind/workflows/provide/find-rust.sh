# Print the Rust toolchains of this host: rustup's folders, each toolchain with its compiler's
# version, and the components it has; or the compiler on the PATH when there is no rustup.
# With arguments: the compiler in these folders, of which each has a part, as `more`.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
if [ $# != 0 ]; then
  for folder; do PATH=$folder/bin:$PATH; folders=${folders:+$folders:}$folder/bin; done
  for tool in cargo rustc; do
    case :$folders: in *":$(dirname "$(command -v "$tool")"):"*) ;; *) exit 0 ;; esac
  done
  version=$(rustc --version </dev/null 2>/dev/null) || exit 0
  printf 'more\t%s\t%s\n' "$folders" "$version"
  for folder; do
    for tool in rustfmt cargo-fmt cargo-clippy; do
      [ ! -x "$folder/bin/$tool" ] || printf 'moretool\t%s\n' "$tool"
    done
  done
  exit 0
fi
root=${RUSTUP_HOME:-$home/.rustup}
rustup=$(command -v rustup || true)
[ -n "$rustup" ] || [ ! -x "$home/.cargo/bin/rustup" ] || rustup=$home/.cargo/bin/rustup
if [ -n "$rustup" ] && [ -d "$root/toolchains" ]; then
  printf 'rustup\t%s\t%s\n' "$root" "${rustup%/*}"
  default=$(sed -n 's/^default_toolchain = "\(.*\)"$/\1/p' "$root/settings.toml" 2>/dev/null)
  printf 'default\t%s\n' "$default"
  for folder in "$root"/toolchains/*/; do
    folder=${folder%/}; name=${folder##*/}
    version=$("$folder/bin/rustc" --version </dev/null 2>/dev/null) || continue
    printf 'toolchain\t%s\t%s\n' "$name" "$version"
    while IFS= read -r component; do
      printf 'component\t%s\t%s\n' "$name" "$component"
    done <"$folder/lib/rustlib/components"
  done 2>/dev/null
elif version=$(rustc --version </dev/null 2>/dev/null) && command -v cargo >/dev/null; then
  program=$(command -v rustc)
  printf 'plain\t%s\t%s\n' "${program%/*}" "$version"
  for tool in rustfmt cargo-fmt cargo-clippy; do
    ! command -v "$tool" >/dev/null || printf 'tool\t%s\n' "$tool"
  done
fi
exit 0
