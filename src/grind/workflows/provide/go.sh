# GRIND_GO: the program, in its own GOROOT.
bin=$root/go-bin
rm -rf "$bin"
mkdir -p "$bin"
for name in go gofmt; do
  [ ! -e "${GRIND_GO%/*}/$name" ] || ln -s "${GRIND_GO%/*}/$name" "$bin/$name"
done
go_folders
front "$bin"
echo "$(GOTOOLCHAIN=local "$GRIND_GO" version) from $GRIND_GO"
