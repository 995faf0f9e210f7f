#!/bin/sh
# Speaks with the hook over pipes, as Cargo does. Prints a line for each check, and fails if one fails.
# `SH=dash ./test.sh` runs the hook with another shell. Needs jq.
set -u
hook=$(cd "$(dirname "$0")" && pwd)/hook.sh
command -v jq >/dev/null || { echo "this needs jq" >&2; exit 2; }
# Blanks and other characters that are to be quoted.
root=$(mktemp -d)/"a \$b 'c'"
mkdir "$root"
trap 'rm -rf "${root%/*}"' EXIT
export SHELL_CACHE_DIR="$root/store"
# It must not matter where the hook is started.
cd /
failures=0

# Prints whether the command that follows the description succeeds.
check() {
    description=$1
    shift
    if "$@"; then echo "ok      $description"; else
        echo "FAILED  $description: $*"
        failures=$((failures + 1))
    fi
}

run() { ${SH:-} "$hook" --cargo-plugin; }

# Sends a request; `status` and `answer` are the outcome. Whatever follows the hello is the answer.
ask() {
    output=$(printf '%s\n' "$1" | run 2>"$root/log"; echo "status $?")
    status=${output##*status }
    answer=$(printf '%s\n' "$output" | sed -e 1d -e '$d')
}

# Succeeds if a filter of jq is true for JSON.
holds() { printf '%s\n' "$1" | jq -e "$2" >/dev/null; }

question() {
    jq -nc --arg key "blake3:$1" '{v: 1, id: 7, kind: "before-build", unit: {package: "foo"},
        hashes: {key: $key, action: "blake3:0", ingredients: {}, files: [{path: "{package}/a", digest: "blake3:1"}]},
        outputs: [], "is-built": true, "of-a-later-version": {}}'
}

# A request to store files, given as pairs of name and path, with a text in the entry.
built() {
    key=$1 text=$2
    shift 2
    jq -nc --arg key "blake3:$key" --arg text "$text" '{v: 1, id: 9, kind: "after-build", unit: {package: "foo"},
        hashes: {key: $key, action: "blake3:0", ingredients: {}},
        files: ([$ARGS.positional | range(0; length; 2) as $i | {(.[$i]): .[$i + 1]}] | add),
        "duration-ms": 812, "of-a-later-version": {}} |
        .entry = {format: 1, text: $text, numbers: [0, 9007199254740991, -1, 1.5], none: [null, {}, [], "", true],
            files: (.files | map_values({role: "link", size: 1}))}' --args "$@"
}

# Asks for a key; `entry` is what comes back, and `path NAME` where a file is.
lookup() {
    ask "$(question "$1")"
    entry=$(printf '%s\n' "$answer" | jq -cS '.Ok.candidates[0].entry')
}
path() { printf '%s\n' "$answer" | jq -r --arg name "$1" '.Ok.candidates[0].files[$name]'; }
entry_of() { printf '%s\n' "$1" | jq -cS .entry; }
is_stored() { [ "$status" = 0 ] && [ "$answer" = '{"id":9,"Ok":{"kind":"stored"}}' ]; }
is_miss() { [ "$status" = 0 ] && [ "$answer" = '{"id":7,"Ok":{"kind":"miss"}}' ]; }
is_hit() { [ "$status" = 0 ] && holds "$answer" '.id == 7 and .Ok.kind == "hit" and (.Ok.candidates | length == 1)'; }
has_content() { [ -f "$1" ] && [ ! -L "$1" ] && [ "${1#/}" != "$1" ] && [ "$(cat "$1")" = "$2" ]; }
listing() { find "$SHELL_CACHE_DIR" | sort; }

a=$root/a b="$root/ -b \"\\n\$(c) ; *"
echo one >"$a"
echo two >"$b"

hello=$(run </dev/null)
check "it exits if no request comes" [ $? = 0 ]
check "the hello is one line" holds "$hello" \
    '. == {v: [1], name: "shell-cache", capabilities: ["before-build", "after-build"]}'
check "which leaves nothing" [ "$(listing)" = "$SHELL_CACHE_DIR" ]

lookup k1
check "an unknown key is a miss" is_miss
check "a question leaves nothing" [ "$(listing)" = "$SHELL_CACHE_DIR" ]

request=$(built k1 "Á é \"\\n' \$x \`y\` $(printf '\t\001\177') 🦀" libfoo.rlib "$a" libfoo.rmeta "$b")
ask "$request"
check "a result is stored" is_stored
rm "$b"
lookup k1
check "it is a hit" is_hit
check "its entry is the same" [ "$entry" = "$(entry_of "$request")" ]
check "it has exactly its files" holds "$answer" '.Ok.candidates[0] | .files | keys == ["libfoo.rlib", "libfoo.rmeta"]'
check "a file is a copy" has_content "$(path libfoo.rlib)" one
check "a file with an odd path is a copy" has_content "$(path libfoo.rmeta)" two
lookup k2
check "another key is a miss" is_miss

lookup k1
old=$(path libfoo.rlib)
# Who has the old answer open must be able to read it to its end.
ln "$SHELL_CACHE_DIR/k1" "$root/open"
cp "$root/open" "$root/unchanged"
echo three >"$a"
request=$(built k1 new libfoo.rlib "$a")
ask "$request"
check "a newer result is stored" is_stored
lookup k1
check "it replaces the older one" [ "$entry" = "$(entry_of "$request")" ]
check "its file is the newer one" has_content "$(path libfoo.rlib)" three
check "who still reads the older file is not disturbed" has_content "$old" one
check "nor is who reads the older answer" cmp "$root/open" "$root/unchanged"

request=$(built k3 folders out-dir/gen/a.rs "$a" out-dir/gen/b/a.rs "$a" stdout "$a" answer "$a" " -n 'x' " "$a")
ask "$request"
check "names with folders are stored" is_stored
lookup k3
check "they are a hit" [ "$entry" = "$(entry_of "$request")" ]
for name in out-dir/gen/a.rs out-dir/gen/b/a.rs stdout answer " -n 'x' "; do
    check "there is \`$name\`" has_content "$(path "$name")" three
done

before=$(listing)
for key in k1 k4; do
    ask "$(built $key gone a "$a" b "$root/gone" c "$a")"
    check "a source that vanished is a failure" [ "$status" != 0 ]
    check "which is not answered" [ -z "$answer" ]
    check "it leaves nothing" [ "$(listing)" = "$before" ]
done
lookup k1
check "it leaves the older result" has_content "$(path libfoo.rlib)" three
ask "$(built k4 clash a "$a" a/b "$a" c "$a")"
check "a folder that cannot be made is a failure" [ "$status" != 0 ]
check "which leaves nothing either" [ "$(listing)" = "$before" ]

ask '{"v":1,"id":3,"kind":"prefetch","crates":[]}'
check "an unknown kind is not supported" holds "$answer" '.id == 3 and .Err.kind == "not-supported" and .Err.message'
ask "$(printf '\n\r\n%s' "$(question k1)")"
check "empty lines are ignored" is_hit
ask "$(question k1 | cut -c 1-50)"
check "half a request is not answered" [ "$status$answer" = 5 ]
check "and leaves nothing" [ "$(listing)" = "$before" ]
ask "$(question k1 | jq -c '.hashes.files = [range(20000) | {path: "{package}/src/\(.).rs", digest: "blake3:\(.)"}]')"
check "a request of a megabyte is answered" is_hit

# Cargo keeps the pipe open until it has the answer, and longer.
mkfifo "$root/pipe"
run <"$root/pipe" >"$root/output" &
exec 3>"$root/pipe"
question k1 >&3
tries=0
until [ "$(wc -l <"$root/output")" -eq 2 ] || [ $tries -eq 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
check "it answers before its input ends" [ $tries -lt 100 ]
exec 3>&-
wait

# Every writer stores two files and an entry of the same text. Nobody may see those of different ones.
for writer in 1 2 3 4 5 6 7 8; do
    yes "$writer" | head -n 100000 >"$root/file$writer"
    built k5 "$writer" x "$root/file$writer" y "$root/file$writer" >"$root/request$writer"
done
ask "$(cat "$root/request1")"
for writer in 1 2 3 4 5 6 7 8; do
    run <"$root/request$writer" >"$root/output$writer" 2>&1 &
done
is_whole() {
    is_hit || return
    writer=$(holds "$entry" . && printf '%s\n' "$entry" | jq -r .text)
    cmp -s "$(path x)" "$root/file$writer" && cmp -s "$(path y)" "$root/file$writer"
}
for try in 1 2 3 4 5; do
    lookup k5
    check "while eight processes store the same, question $try finds a whole result" is_whole
done
wait
for writer in 1 2 3 4 5 6 7 8; do
    check "process $writer has stored it" [ "$(sed 1d "$root/output$writer")" = '{"id":9,"Ok":{"kind":"stored"}}' ]
done
lookup k5
check "in the end there is a whole result" is_whole

unset SHELL_CACHE_DIR
export XDG_CACHE_HOME="$root/xdg"
ask "$(built k1 default a "$a")"
check "the default is the cache folder of the user" [ -f "$root/xdg/cargo-shell-cache/k1" ]

[ $failures = 0 ] || { echo "$failures checks failed"; exit 1; }
