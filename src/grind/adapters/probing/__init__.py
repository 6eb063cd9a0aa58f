"""Places that services can be asked from: this machine, and a host with nothing but bash."""
