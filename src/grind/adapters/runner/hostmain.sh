# What the programs of a session begin with. A follower is one as soon as it has been read as far as this.

g_host_begin() {
  umask 077
  set -m
  shopt -s nullglob extglob
  declare -g g_pid= g_wake= g_reason= g_pusher= g_boot= g_user= g_spare= g_ready= g_spares=0 g_here=
  PATH=$3 g_lifeline=$5
  if [[ $1 == follow ]]; then g_main_follow "${@:6}"; fi
}

g_host_main() {
  case $1 in
    serve)
      g_boot_id
      g_main_serve "$2" "$3" "$4"
      ;;
    take) g_main_take "$2" ;;
    *) exit 2 ;;
  esac
}

LC_ALL=C
g_host_begin "$@"
