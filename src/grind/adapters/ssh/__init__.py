"""The SSH host: the user's own OpenSSH, one kept session, and lanes that outlive it."""
