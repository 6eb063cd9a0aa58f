# GRIND_RUBY: the program. GRIND_BUNDLER_CACHE: `true` installs the bundle, as the action does.
bin=$root/ruby-bin
rm -rf "$bin"
mkdir -p "$bin"
for name in ruby gem bundle bundler irb rake erb rdoc ri; do
  [ ! -e "${GRIND_RUBY%/*}/$name" ] || ln -s "${GRIND_RUBY%/*}/$name" "$bin/$name"
done
gem_folders
front "$bin"
answer ruby-prefix "$root/gems"
if [ "${GRIND_BUNDLER_CACHE:-false}" = true ]; then
  cd "${GRIND_WORKING_DIRECTORY:-.}"
  PATH=$bin:$root/gems/bin:$PATH GEM_HOME=$root/gems BUNDLE_PATH=$root/bundle bundle install --jobs 4
fi
echo "Ruby from $GRIND_RUBY"
