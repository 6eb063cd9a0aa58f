# A grind host: `imports = [ grind.nixosModules.default ]; services.grind.enable = true;`
#
# It gives grind a user whose runs outlive the connection, a folder, limits, and a timer that removes what
# is old. It opens no port: people come by the sshd that the host has.
self:
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.grind;
  inherit (lib)
    mkEnableOption
    mkIf
    mkOption
    types
    ;
in
{
  options.services.grind = {
    enable = mkEnableOption "a host on which changes are proven before they are pushed";

    package = mkOption {
      type = types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      defaultText = "the package of this flake";
      description = "The grind that is on the PATH of the host.";
    };

    user = mkOption {
      type = types.str;
      default = "grind";
      description = "The account that operators log in to, and whose runs these are.";
    };

    keys = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Public keys of the operators.";
    };

    uid = mkOption {
      type = types.int;
      default = 1907;
      description = "Number of the account: the slice that its limits hold in bears it.";
    };

    home = mkOption {
      type = types.str;
      default = "/var/lib/grind";
      description = "Home of the account. The state folder and the workspace are in it.";
    };

    memoryMax = mkOption {
      type = types.str;
      default = "80%";
      description = "What all runs may use together (systemd's MemoryMax), so that a build cannot take the host down.";
    };

    tasksMax = mkOption {
      type = types.int;
      default = 4096;
      description = "How many processes and threads all runs may have together.";
    };

    supervisor = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = ''
        The supervisor of activations that the account may run as root, without a password: exactly
        this file, which must lie in the Nix store. Whoever may activate is root on this host.
        Null: nobody activates through this account.
      '';
    };

    keepDays = mkOption {
      type = types.int;
      default = 14;
      description = "Days after which what no run has used is removed.";
    };
  };

  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.supervisor == null || lib.hasPrefix builtins.storeDir (toString cfg.supervisor);
        message = "services.grind.supervisor must lie in the Nix store: sudo must not run what others can write";
      }
    ];

    environment.systemPackages = [
      cfg.package
      pkgs.git
    ];

    users.users.${cfg.user} = {
      isNormalUser = true;
      inherit (cfg) uid;
      inherit (cfg) home;
      createHome = true;
      # Without lingering logind ends the account's units with its last login.
      linger = true;
      openssh.authorizedKeys.keys = cfg.keys;
    };

    nix.settings.experimental-features = [
      "nix-command"
      "flakes"
    ];

    # logind puts all processes of an account into one slice, whatever started them.
    systemd.slices."user-${toString cfg.uid}".sliceConfig = {
      MemoryMax = cfg.memoryMax;
      TasksMax = cfg.tasksMax;
    };

    security.sudo.extraRules = mkIf (cfg.supervisor != null) [
      {
        users = [ cfg.user ];
        commands = [
          {
            command = toString cfg.supervisor;
            options = [ "NOPASSWD" ];
          }
        ];
      }
    ];

    systemd.services.grind-gc = {
      description = "Remove runs and checkouts of grind that nothing has used for long";
      serviceConfig = {
        Type = "oneshot";
        User = cfg.user;
        ExecStart = "${cfg.package}/bin/grind collect --days ${toString cfg.keepDays}";
      };
    };
    systemd.timers.grind-gc = {
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "daily";
        RandomizedDelaySec = "1h";
        Persistent = true;
      };
    };
  };
}
