#!/bin/bash
# Plays NixOS's switch-to-configuration for a host under $LAB: the same verbs, the same lines on standard error, the
# same exit codes (0, 1, 2, 4, 100), the same lock. It mimics the contract only: no systemd, no bootloader. A unit is a
# process group with a number in $LAB/run/units; a unit of type oneshot fails when its command does.
set -u
new=@out@ code=@code@ action=${1-} run=$LAB/run
case $action in check | switch | boot | test | dry-activate) ;; *) exit 1 ;; esac
mkdir -p "$run/units" "$run/failed" "$LAB/boot"
exec 9>>"$run/switch.lock"
flock -n 9 || { echo "Could not acquire lock" >&2; exit 1; }
old=$(readlink -f "$run/current-system" 2>/dev/null)
echo "$action $new" >>"$LAB/switches"
[[ $action == check ]] && exit 0
units() { [[ -d $1/etc/systemd/system ]] && ls -1 "$1/etc/systemd/system"; }
unit() { printf %s "$1/etc/systemd/system/$2"; }
join() { local IFS=,; local all="$*"; printf %s "${all//,/, }"; }
stop=() start=() skip=()
for u in $(units "$old"); do
  if [[ ! -e $(unit "$new" "$u") ]]; then stop+=("$u")
  elif ! cmp -s "$(unit "$old" "$u")" "$(unit "$new" "$u")"; then
    if grep -q '^X-RestartIfChanged=false' "$(unit "$new" "$u")"; then skip+=("$u"); else stop+=("$u"); start+=("$u"); fi
  fi
done
for u in $(units "$new"); do [[ -e $(unit "$old" "$u") ]] || start+=("$u"); done
# What had failed is tried again, as systemd does with units that shall run.
for u in $(units "$new"); do [[ -e $run/failed/$u && " ${start[*]-} " != *" $u "* ]] && start+=("$u"); done
if [[ $action == dry-activate ]]; then
  ((${#stop[@]})) && echo "would stop the following units: $(join "${stop[@]}")" >&2
  ((${#skip[@]})) && echo "would NOT stop the following changed units: $(join "${skip[@]}")" >&2
  echo "would activate the configuration..." >&2
  ((${#start[@]})) && echo "would start the following units: $(join "${start[@]}")" >&2
  exit 0
fi
if [[ $action == switch || $action == boot ]]; then ln -sfn "$new" "$LAB/boot/default"; fi
[[ $action == boot ]] && exit 0
if [[ -e $LAB/refuse-everything ]]; then echo "this host refuses everything" >&2; exit 1; fi
if [[ $code == 1 ]]; then echo "pre-switch checks failed" >&2; exit 1; fi
if [[ $code == 100 ]]; then echo "Warning: the new configuration has another init interface" >&2; exit 100; fi
[[ -e $LAB/slow ]] && sleep "$(<"$LAB/slow")"
stop_unit() {
  local pid
  rm -f "$run/failed/$1"
  pid=$(cat "$run/units/$1" 2>/dev/null) || return 0
  kill -TERM -- "-$pid" 2>/dev/null
  for _ in {1..40}; do kill -0 -- "-$pid" 2>/dev/null || break; sleep 0.05; done
  kill -KILL -- "-$pid" 2>/dev/null
  rm -f "$run/units/$1"
}
start_unit() {
  local command oneshot
  command=$(sed -n 's/^ExecStart=//p' "$(unit "$new" "$1")")
  rm -f "$run/failed/$1"
  if grep -q '^Type=oneshot' "$(unit "$new" "$1")"; then $command </dev/null >>"$LAB/log" 2>&1 9>&- || : >"$run/failed/$1"; return; fi
  REVISION=$(sed -n 's/^REVISION=//p' "$new/etc/os-release") setsid $command </dev/null >>"$LAB/log" 2>&1 9>&- &
  echo $! >"$run/units/$1"
}
((${#stop[@]})) && echo "stopping the following units: $(join "${stop[@]}")" >&2
for u in "${stop[@]}"; do stop_unit "$u"; done
((${#skip[@]})) && echo "NOT restarting the following changed units: $(join "${skip[@]}")" >&2
echo "activating the configuration..." >&2
rc=0
if [[ $code == 2 ]]; then echo "Failed to run activate script" >&2; rc=2; fi
ln -sfn "$new" "$run/current-system.new" && mv -Tf "$run/current-system.new" "$run/current-system"
((${#start[@]})) && echo "starting the following units: $(join "${start[@]}")" >&2
for u in "${start[@]}"; do stop_unit "$u"; start_unit "$u"; done
sleep 0.25
failed=()
for u in "${start[@]}"; do
  if [[ -e $run/units/$u ]] && ! kill -0 -- "-$(<"$run/units/$u")" 2>/dev/null; then : >"$run/failed/$u"; fi
  [[ -e $run/failed/$u ]] && failed+=("$u")
done
if ((${#failed[@]})); then
  echo "warning: the following units failed: $(join "${failed[@]}")" >&2
  ((rc == 0)) && rc=4
fi
exit "$rc"
