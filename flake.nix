{
  description = "Prove a change on a production-like host with exactly what CI will run, push it once, watch it land green";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

  outputs =
    { self, nixpkgs }:
    let
      each = f: nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: f nixpkgs.legacyPackages.${system});
      grindOf = pkgs: pkgs.callPackage ./nix/package.nix { };
    in
    {
      packages = each (pkgs: rec {
        grind = grindOf pkgs;
        default = grind;
      });

      apps = each (pkgs: rec {
        grind = {
          type = "app";
          program = "${grindOf pkgs}/bin/grind";
          meta.description = "The release loop, run on a host like production";
        };
        default = grind;
      });

      # What `make test` and `make lint` need on a machine with Nix; the Python tools come by the Makefile.
      devShells = each (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ (grindOf pkgs) ];
          packages = [
            pkgs.git
            pkgs.openssh
            pkgs.shfmt
            pkgs.gnumake
            pkgs.uv
          ];
        };
      });

      checks = each (pkgs: {
        grind = grindOf pkgs;
      });

      overlays.default = final: _: { grind-loop = grindOf final; };

      nixosModules.default = import ./nix/module.nix self;
    };
}
