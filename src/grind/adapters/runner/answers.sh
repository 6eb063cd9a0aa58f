# How a request is answered: by one line, whoever answers (serve.sh says what is in it).

g_answer() { # CODE OUT ERR
  local g_o=${2//'\'/'\\'} g_e=${3:0:600}
  g_o=${g_o//$'\n'/'\n'} g_e=${g_e//'\'/'\\'}
  printf '%s %s %s %s%s\n' "$g_id" "$1" "${#g_o}" "$g_o" "${g_e//$'\n'/'\n'}"
}

g_encoded() { # KIND: the standard input, in pieces
  PATH=$g_path base64 -w 3000 | while IFS= read -r g_piece; do printf '%s %s %s %s\n' "$g_id" "$1" "${#g_piece}" "$g_piece"; done
}

g_answer_files() { # CODE OUT ERR: what a command has said is in files
  local g_o= g_e=
  if [[ -s $2 ]] && IFS= read -r -d '' -n 1301 g_o <"$2"; then g_encoded o <"$2"; g_o=; fi
  if [[ -s $3 ]] && IFS= read -r -d '' -n 601 g_e <"$3"; then g_encoded e <"$3"; g_e=; fi
  g_answer "$1" "$g_o" "$g_e"
}

g_cannot_keep() {
  g_answer 125 '' 'the state folder of the host cannot be written (is its disk full?)'
}
