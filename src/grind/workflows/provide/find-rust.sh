# Print the Rust toolchains of this host: rustup's folders, each toolchain with its compiler's
# version, and the components it has; or the compiler on the PATH when there is no rustup.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
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
