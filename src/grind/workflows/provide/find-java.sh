# Print every JDK on this host: version, implementor, whether it has a compiler, JAVA_HOME.
# With arguments: those of these folders, as nixpkgs lays them out.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6); home=${home:-$HOME}
shopt -s nullglob
seen=:
look() {
  local root=$1 version implementor compiler=0
  root=$(readlink -f "$root") || return 0
  case $seen in *":$root:"*) return 0 ;; esac; seen+=$root:
  [ -x "$root/bin/java" ] && [ -r "$root/release" ] || return 0
  version=$(sed -n 's/^JAVA_VERSION="\(.*\)"$/\1/p' "$root/release")
  implementor=$(sed -n 's/^IMPLEMENTOR="\(.*\)"$/\1/p' "$root/release")
  # Java 8 says 1.8.0_392, and everybody asks for 8.
  version=${version/#1.8.0_/8.0.}
  [ ! -x "$root/bin/javac" ] || compiler=1
  printf '%s\t%s\t%s\t%s\n' "$version" "${implementor:--}" "$compiler" "$root"
}
for folder; do look "$folder"; look "$folder/lib/openjdk"; done
[ $# = 0 ] || exit 0
[ -z "${JAVA_HOME:-}" ] || look "$JAVA_HOME"
program=$(command -v javac || command -v java) && program=$(readlink -f "$program") && look "${program%/bin/*}"
for root in /usr/lib/jvm/* "$home"/.sdkman/candidates/java/* \
  "$home"/.local/share/mise/installs/java/* "$home"/.asdf/installs/java/* "$home"/.jdks/* \
  "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/Java_*/*/*; do
  look "$root"
done
exit 0
