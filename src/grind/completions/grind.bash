# bash completion for grind: source <(grind completion bash)
_grind() {
  local IFS=$'\n' line at=$'\x1f'
  local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  # bash takes `--option=value` apart; it is put together again.
  if [[ ${COMP_WORDS[COMP_CWORD]} == '=' ]]; then
    words=("${COMP_WORDS[@]:1:COMP_CWORD-2}" "${COMP_WORDS[COMP_CWORD-1]}=")
  elif ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[COMP_CWORD-1]} == '=' ]]; then
    words=("${COMP_WORDS[@]:1:COMP_CWORD-3}" "${COMP_WORDS[COMP_CWORD-2]}=${COMP_WORDS[COMP_CWORD]}")
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    line=${line%%$at*}
    if [[ $line == $'\x1e'* ]]; then
      compopt -o default 2>/dev/null
    else
      # Only what is after the `=` replaces the word that bash sees.
      [[ ${words[-1]} == --*=* ]] && line=${line#*=}
      printf -v line '%q' "$line"
      COMPREPLY+=("$line")
    fi
  done < <("${COMP_WORDS[0]}" completion --words "${words[@]}" 2>/dev/null)
}
complete -F _grind grind
