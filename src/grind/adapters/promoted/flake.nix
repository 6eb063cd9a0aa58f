# Made by `grind py promote`, and made anew by it: do not edit. It has no inputs of its own, so that nothing
# has to be locked twice: Python comes from the repository's flake and its lock (python.nix).
{
  description = "Scripts of this repository that were promoted to commands";
  outputs = _: import ./default.nix { };
}
