# `actions/checkout`, from the private repository of the run.

g_set_aside() { :; }

g_checkout() {
  printf 'grind: checkout is not built yet\n'
  return 1
}
