# GRIND_DOTNET: folder of the `dotnet` program.
bin=$root/dotnet-bin
rm -rf "$bin"
mkdir -p "$bin" "$cache/nuget" "$root/dotnet"
ln -s "$GRIND_DOTNET/dotnet" "$bin/dotnet"
give DOTNET_ROOT "$GRIND_DOTNET"
give DOTNET_CLI_HOME "$root/dotnet"
give NUGET_PACKAGES "$cache/nuget"
front "$root/dotnet/.dotnet/tools"
front "$bin"
echo ".NET from $GRIND_DOTNET"
