# grind as a package: `callPackage ./nix/package.nix { }` with any nixpkgs of 25.11 or later.
{
  lib,
  python3,
  makeWrapper,
  bash,
  coreutils,
  git,
  openssh,
  shfmt,
  util-linux,
}:

let
  project = lib.importTOML ../pyproject.toml;
in
python3.pkgs.buildPythonApplication {
  pname = project.project.name;
  version = project.project.version;
  pyproject = true;

  # Named one by one, so that nothing else of a working copy changes the build; tests/test_flake.py builds
  # the wheel from exactly these.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../src
      ../pyproject.toml
      ../README.md
      ../LICENSE
    ];
  };

  build-system = [ python3.pkgs.hatchling ];

  dependencies = with python3.pkgs; [
    httpx
    jinja2
    msgspec
    pyyaml
    regex
    rich
    tree-sitter
    tree-sitter-grammars.tree-sitter-bash
  ];

  # nixpkgs has shfmt itself, where the index of Python packages has a wheel that carries it; the grammar
  # of nixpkgs bears a name of its own.
  pythonRemoveDeps = [
    "shfmt-py"
    "tree-sitter-bash"
  ];
  pythonRelaxDeps = true;

  nativeBuildInputs = [ makeWrapper ];

  # What grind calls on the machine that it runs on. The user's own ssh and git come first.
  makeWrapperArgs = [
    "--suffix PATH : ${
      lib.makeBinPath [
        bash
        coreutils
        git
        openssh
        shfmt
        util-linux
      ]
    }"
  ];

  # The tests want a sshd, a browser and a Nix store of their own: `make test` runs them.
  doCheck = false;
  pythonImportsCheck = [
    "grind"
    "grind_health"
  ];

  meta = {
    description = project.project.description;
    license = lib.licenses.mit;
    mainProgram = "grind";
    platforms = lib.platforms.linux;
  };
}
