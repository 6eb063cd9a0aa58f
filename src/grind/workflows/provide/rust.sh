# GRIND_RUSTUP: folder of rustup, GRIND_RUSTUP_HOME: the host's toolchains, GRIND_TOOLCHAIN: the one
# to use (empty: the repository's toolchain file decides). Or GRIND_RUST: folder of a plain rustc,
# or several, of which each has a part, one a line.
cargo_home
if [ -n "${GRIND_RUSTUP:-}" ]; then
  rustup_proxies "$GRIND_RUSTUP"
  give RUSTUP_HOME "$GRIND_RUSTUP_HOME"
  # A toolchain that the host lacks must fail, not be downloaded into the host's folders.
  give RUSTUP_AUTO_INSTALL 0
  [ -z "${GRIND_TOOLCHAIN:-}" ] || give RUSTUP_TOOLCHAIN "$GRIND_TOOLCHAIN"
else
  for name in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
    while IFS= read -r folder; do
      [ ! -e "$folder/$name" ] || ln -sf "$folder/$name" "$root/cargo/bin/$name"
    done <<<"$GRIND_RUST"
  done
fi
give CARGO_INCREMENTAL "${CARGO_INCREMENTAL:-0}"
give CARGO_TERM_COLOR "${CARGO_TERM_COLOR:-always}"
while IFS= read -r line; do
  [ -z "$line" ] || give "${line%%=*}" "${line#*=}"
done <<<"${GRIND_ENV:-}"
echo "Rust ${GRIND_TOOLCHAIN:-${GRIND_RUST:-by the toolchain file}}"
