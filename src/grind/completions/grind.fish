# fish completion for grind: grind completion fish >~/.config/fish/completions/grind.fish
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
