# All of a session's program has been read.

g_host_main "$@"
exit
