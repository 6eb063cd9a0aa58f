# Made by `grind py promote`, and made anew by it: do not edit.
# Finds the Python of the repository's flake: the one in its shell, else that of the nixpkgs in its lock. The
# flake is called by hand, as Nix calls it, because a flake in a folder cannot name the one around it as an
# input in every version of Nix.
{ system, manifest }:
let
  root = ../.;
  here = if manifest.flake == "" then root else root + "/${manifest.flake}";
  lockFile = here + "/flake.lock";
  lock =
    if builtins.pathExists lockFile
    then builtins.fromJSON (builtins.readFile lockFile)
    else { root = "root"; nodes.root = { }; };

  # An input is the name of a node, or a way to one through the inputs of others.
  nodeOf = input: if builtins.isList input then walk lock.root input else input;
  walk = node: way:
    if way == [ ] then node
    else walk (nodeOf lock.nodes.${node}.inputs.${builtins.head way}) (builtins.tail way);

  call = name:
    let
      node = lock.nodes.${name};
      isRoot = name == lock.root;
      info = if isRoot then { outPath = toString root; } else builtins.fetchTree (removeAttrs node.locked [ "dir" ]);
      dir = if isRoot then manifest.flake else node.locked.dir or "";
      place = if isRoot then here else info.outPath + (if dir == "" then "" else "/${dir}");
      inputs = builtins.mapAttrs (_: input: call (nodeOf input)) (node.inputs or { });
      outputs = (import (place + "/flake.nix")).outputs (inputs // { self = whole; });
      whole = outputs // info // { inherit inputs outputs; sourceInfo = info; outPath = toString place; _type = "flake"; };
    in
    if node.flake or true then whole else info;

  flake = call lock.root;
  shells = flake.devShells.${system} or { };
  shell = shells.${manifest.shell} or flake.devShell.${system} or { };
  contents = builtins.concatLists (map (key: shell.${key} or [ ])
    [ "nativeBuildInputs" "buildInputs" "propagatedNativeBuildInputs" "propagatedBuildInputs" ]);
  isPython = package:
    builtins.isAttrs package && builtins.match "python3.*" (package.pname or package.name or "") != null;
  pythons = builtins.filter isPython contents;

  nixpkgs = (call (nodeOf lock.nodes.${lock.root}.inputs.nixpkgs)).legacyPackages.${system};
  pinned = lock.nodes.${lock.root} ? inputs && lock.nodes.${lock.root}.inputs ? nixpkgs;
in
{
  python3 =
    if pythons != [ ] then builtins.head pythons
    else if pinned then nixpkgs.python3
    else throw "neither the shell of this repository's flake nor a nixpkgs in its lock has python3";
  bash = shell.builder or (if pinned then "${nixpkgs.bash}/bin/bash" else "/bin/bash");
}
