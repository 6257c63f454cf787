# fish completion for crmnotesctl
#
# crmnotesctl complete answers what can stand at a place, as fish wants it: a candidate, a tab
# and a remark on each line; or ":files". Names come from the database and may hold anything;
# fish only displays them.

function __crmnotesctl_complete
    set -l words (commandline -opc)
    set -l found (command crmnotesctl complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$found" = :files
        __fish_complete_path (string replace -r '^--[a-z-]+=' '' -- (commandline -ct))
    else
        printf '%s\n' $found
    end
end

complete -c crmnotesctl -f -a '(__crmnotesctl_complete)'
