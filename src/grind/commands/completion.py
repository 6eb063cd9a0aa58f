"""`grind completion`: what a shell needs to complete grind's command lines."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "print the completion script for bash, zsh or fish"
EXAMPLES = """\
  bash   echo 'source <(grind completion bash)' >>~/.bashrc
  zsh    grind completion zsh >"${fpath[1]}/_grind"
  fish   grind completion fish >~/.config/fish/completions/grind.fish

It completes commands, options, and what the repository at hand has: jobs, checks,
workflows, releases, receipts, hosts.
"""
_QUERY = "--words"

_BASH = r"""# bash completion for grind: source <(grind completion bash)
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
"""

_ZSH = r"""#compdef grind
# zsh completion for grind: grind completion zsh >"${fpath[1]}/_grind"
_grind() {
  local line at=$'\x1f'
  local -a found told
  for line in ${(f)"$(${words[1]} completion --words "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
    if [[ $line == $'\x1e'* ]]; then
      _files
    else
      found+=("${line%%$at*}")
      told+=("${line%%$at*}${${line#*$at}:+  -- ${line#*$at}}")
    fi
  done
  (( $#found )) && compadd -l -d told -a found
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _grind "$@"; else compdef _grind grind; fi
"""

_FISH = r"""# fish completion for grind: grind completion fish >~/.config/fish/completions/grind.fish
function __grind_complete
    set -l words (commandline -opc)
    for line in ($words[1] completion --words $words[2..-1] (commandline -ct) 2>/dev/null)
        if string match -q -- \x1e'*' $line
            __fish_complete_path (commandline -ct)
        else
            string replace -- \x1f \t $line
        end
    end
end
complete -c grind -f -a '(__grind_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run_line(argv: list[str]) -> int:
    """Answer a shell's question without argparse; everything else goes the usual way."""
    if argv[:1] == [_QUERY]:
        return _answer(argv[1:])
    from grind.ui.arguments import parser_for

    parser = parser_for("completion", HELP, EXAMPLES)
    add_arguments(parser)
    try:
        args = parser.parse_args(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return run(args)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", nargs="?", choices=sorted(SCRIPTS), help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print a script."""
    from grind.core.errors import GrindError

    shell = args.shell or os.path.basename(os.environ.get("SHELL", ""))
    if shell not in SCRIPTS:
        raise GrindError("which shell?", remedy="grind completion bash|zsh|fish")
    sys.stdout.write(SCRIPTS[shell])
    return 0


def _answer(words: list[str]) -> int:
    """Print a candidate a line, US between it and what it means; RS alone asks for file names."""
    from grind.core.completion import FILES, complete
    from grind.ui.command_table import TABLE
    from grind.wiring.nearby import nearby

    near = nearby(os.getcwd(), os.environ)

    def lookup(kind: str) -> list[tuple[str, str]]:
        return [("\x1e", "")] if kind == FILES else near(kind)

    for word, told in complete(TABLE, words, lookup):
        line = word if word == "\x1e" else f"{_shown(word)}\x1f{_shown(told)}"
        sys.stdout.write(f"{line}\n")
    return 0


def _shown(text: str) -> str:
    """A name that holds a line's end or an escape sequence must not reach the shell as one."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
