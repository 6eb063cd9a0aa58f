# How much room the runs and checkouts of one repository take on this host, and how old they are.
#
#   (kept in the repository's state folder, called without arguments)
#
# The answer is NUL-delimited: KIB and the time of the last use (seconds since the epoch) of each folder
# that may be removed when it is old, closed by `end`. Without du nothing is said of any.

g_size() { # FOLDER SECONDS-SINCE-THE-EPOCH
  local g_kib g_bound=()
  if type -P timeout >/dev/null; then g_bound=(timeout 120); fi
  IFS=$' \t' read -r g_kib _ < <("${g_bound[@]}" du -skx -- "$1" 2>/dev/null)
  [[ $g_kib == +([0-9]) ]] && printf '%s\0%s\0' "$g_kib" "$2"
}

g_main() {
  local g_state=${BASH_SOURCE[0]%/*}/.. g_f g_when g_newest
  shopt -s nullglob extglob
  if type -P du >/dev/null; then
    for g_f in "$g_state"/runs/*/; do
      g_size "$g_f" "$(stat -c %Y -- "$g_f")"
    done
    for g_f in "$g_state"/jobs/*/; do
      g_newest=0
      for g_when in $(stat -c %Y -- "$g_f" "$g_f"owner.* 2>/dev/null); do
        ((g_when > g_newest)) && g_newest=$g_when
      done
      g_size "$g_f" "$g_newest"
    done
  fi
  printf 'end\0'
}

LC_ALL=C
g_main
exit
