#!/bin/sh
# A cache below $SHELL_CACHE_DIR. Answers one request of Cargo and exits. Needs jq.
#
# The answer for a key is in the file `KEY`, and the files that it names are in a folder `files-*`,
# in which nothing changes any more, and which is never deleted.
set -eu
store=${SHELL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/cargo-shell-cache}
mkdir -p "$store"
# A folder of its own, as other processes may store the same. It stays only if a result is in it.
new=$(mktemp -d "$store/files-XXXXXX")
trap 'rm -rf "$new" "$new.answer"' EXIT
echo '{"v":[1],"name":"shell-cache","capabilities":["before-build","after-build"]}'

# jq says in shell, well quoted, what is in one request, and does not wait for the end of the input.
# If no request comes, because Cargo does not need this process after all, it says nothing.
request=$(jq -nr --arg new "$new" 'first(inputs) | (.files // {}) as $files | @sh "
    id=\(.id) kind=\(.kind) result=\(.hashes.key[7:])
    hit=\({entry, files: ($files | with_entries(.value = $new + "/" + .key)), lifetime: "durable"} | tojson)
    set -- \([$files | to_entries[] | .key, .value])"')
eval "${request:-exit 0}"

outcome=Ok answer='{"kind":"miss"}'
case $kind in
before-build) [ ! -f "$store/$result" ] || answer=$(cat "$store/$result") ;;
after-build)
    while [ $# -gt 0 ]; do
        mkdir -p "$(dirname "$new/$1")"
        cp "$2" "$new/$1"
        shift 2
    done
    # Others find the old answer until this is renamed. If anything fails before, nothing is left.
    printf '{"kind":"hit","candidates":[%s]}' "$hit" >"$new.answer"
    mv -f "$new.answer" "$store/$result"
    trap - EXIT
    answer='{"kind":"stored"}' ;;
*) outcome=Err answer='{"kind":"not-supported","message":"unknown kind of request"}' ;;
esac
printf '{"id":%s,"%s":%s}\n' "$id" "$outcome" "$answer"
