#!/bin/sh
# Install the real parts that tests talk to, where they are missing and this may be done: Debian packages, as root.
# Elsewhere it says what is missing; the tests that need a part are then skipped and counted (with CI set they fail).
# Usage: tools/parts.sh [PROGRAM=PACKAGE ...]; without arguments, all that the tests use.
set -eu
PATH=$PATH:/usr/sbin
[ $# -gt 0 ] || set -- sshd=openssh-server ssh=openssh-client nix=nix-bin chromium=chromium zsh=zsh fish=fish 'podman=podman containernetworking-plugins' runc=runc iptables=iptables ip=iproute2 busybox=busybox-static

missing=
for part; do
  command -v "${part%%=*}" >/dev/null 2>&1 || missing="$missing ${part#*=}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "not here, so tests that need them are skipped:$missing" >&2
  exit 0
fi
echo "installing$missing …"
export DEBIAN_FRONTEND=noninteractive
# A test starts its own sshd; none is to be started for the machine.
[ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && made=1; }
status=0
# shellcheck disable=SC2086 # words are wanted
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null || status=$?
[ -z "${made-}" ] || rm -f /usr/sbin/policy-rc.d
exit "$status"
