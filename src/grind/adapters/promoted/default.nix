# Made by `grind py promote`, and made anew by it: do not edit.
# `python` may give another interpreter than python.nix finds: system -> package with bin/python3.
{ python ? null }:
let
  manifest = builtins.fromJSON (builtins.readFile ./apps.json);
  systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
  each = made: builtins.listToAttrs (map (name: { inherit name; value = made name; }) systems);

  found = each (system: import ./python.nix { inherit system manifest; });
  interpreter = system: if python != null then python system else found.${system}.python3;

  # The script's own folder goes with it, so that what it imports from there is found; at the top of the
  # repository that would be everything, so that there it goes alone.
  command = system: name: app:
    let
      alone = app.folder == "";
      folder = if alone then ../. else ../. + "/${app.folder}";
    in
    derivation {
      inherit name system;
      outputs = [ "out" ];
      builder = "${interpreter system}/bin/python3";
      args = [ "${./wrap.py}" ];
      python = "${interpreter system}/bin/python3";
      source =
        if alone
        then "${builtins.path { path = folder + "/${app.file}"; name = "script"; }}"
        else "${builtins.path { path = folder; name = "scripts"; }}/${app.file}";
    };

  packages = each (system: builtins.mapAttrs (command system) manifest.apps);
in
{
  inherit packages;

  apps = each (system: builtins.mapAttrs
    (name: package: { type = "app"; program = "${package}/bin/${name}"; })
    packages.${system});

  # `nix develop ./grind`: all of them on the PATH.
  devShells = each (system: {
    default = derivation {
      name = "promoted-commands";
      inherit system;
      outputs = [ "out" ];
      builder = found.${system}.bash;
      args = [ "-c" "echo > $out; exit 0" ];
      PATH = builtins.concatStringsSep ":" (map (p: "${p}/bin") (builtins.attrValues packages.${system}));
    };
  });
}
