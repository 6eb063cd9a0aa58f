# Print the .NET SDKs of this host: version, folder of the `dotnet` program.
program=$(command -v dotnet) || exit 0
program=$(readlink -f "$program")
"$program" --list-sdks </dev/null 2>/dev/null | while read -r version _; do
  printf '%s\t%s\n' "$version" "${program%/*}"
done
exit 0
