#!/bin/sh
# Counts instructions per operation with valgrind, and compares them with the accepted ones:
# sh benches/callgrind.sh
#
# Fails if a case differs from benches/callgrind.accepted by more than 5 % in either direction: a case that has
# become cheaper must be accepted as well, so that it stays cheap. `--accept` writes the counts.
#
# Also fails if a refused token costs more than 20 times as much as `verify`, an ordinary new token of HS256, or
# if the search for a token in a header field of 8 KiB costs more than 30 times as much. benches/src/refused/ has
# the most expensive ones. Wrong signatures of other algorithms are compared with an ordinary token of the same
# algorithm.
#
# Also fails if a token that was verified before, or a request with one, costs more than 3 % more with the feature
# `metrics` and a recorder than without the feature.
#
# A case runs N times and 2 N times, and the difference counts. The compression function of SHA-256 is left out:
# valgrind has no SHA instructions, and on a machine without them another function would count. The framework's
# parsing of request heads is left out, too.
set -eu

cd "$(dirname "$0")/.."
accepted=benches/callgrind.accepted
band=5 # per cent
times=200
times_refused=3
most=20 # times `verify`, of a token
most_metrics=3 # per cent
most_request=30 # of a request without a token, whose fields are not bounded by the size of a token

if ! command -v valgrind >/dev/null; then
    echo 'valgrind is not there: installing it'
    apt-get update -q >/dev/null && apt-get install -qy valgrind >/dev/null
fi

echo 'building'
cargo build --quiet --release --package flask-pyjwt-benches --bin instructions
program=${CARGO_TARGET_DIR:-target}/release/instructions

# The instructions of a case that runs this many times.
collected() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect='*instructions*counted*' \
        --toggle-collect='*requests*refused_request*' \
        --toggle-collect='*sha256_block_data_order_*' \
        "$program" "$1" "$2" 2>&1 | awk '/Collected/ { print $4 }'
}

# The instructions per operation of the cases that the program lists with this argument.
measure() {
    for case in $("$program" $1 || true); do
        once=$(collected "$case" "$2")
        twice=$(collected "$case" $((2 * $2)))
        echo "$case $(((twice - once) / $2))"
        echo "  $case" >&2
    done
}

echo 'counting'
counts=$(measure '' "$times")
refused=$(measure refused "$times_refused")

echo 'building with metrics'
cargo build --quiet --release --package flask-pyjwt-benches --bin instructions --features metrics
metrics=0
for case in verify-hit http-ours-table; do
    without=$(printf '%s\n' "$counts" | awk -v case="$case" '$1 == case { print $2 }')
    once=$(collected "$case" "$times")
    twice=$(collected "$case" $((2 * times)))
    with=$(((twice - once) / times))
    echo "$case: $without, with metrics $with"
    [ $((with * 100)) -le $((without * (100 + most_metrics))) ] || metrics=1
done
[ "$metrics" -eq 0 ] || echo 'metrics cost too much'

if [ "${1:-}" = --accept ]; then
    printf '%s\n' "$counts" >"$accepted"
fi

refusals=0
printf '%s\nrefused\n%s\n' "$counts" "$refused" | awk -v most_token="$most" -v most_request="$most_request" '
    /^verify / { ordinary = $2 }
    /^refused$/ { refused = 1; printf "\n%-44s %10s %8s\n", "refused", "counted", "ordinary"; next }
    /^ordinary-/ { of[substr($1, 10)] = $2 }
    refused {
        name = $1
        sub(/.*-/, "", name)
        ratio = $2 / (name in of ? of[name] : ordinary)
        most = $1 ~ /^refused-request-/ ? most_request : most_token
        printf "%-44s %10d %7.1fx%s\n", $1, $2, ratio, ratio > most ? "  too much" : ""
        failed = failed || ratio > most
    }
    END { exit failed }' || refusals=1
[ "$metrics" -eq 0 ] || refusals=1

printf '%s\n' "$counts" | awk -v failed="$refusals" -v band="$band" -v accepted="$accepted" '
    BEGIN {
        while ((getline line < accepted) > 0) { split(line, part, " "); old[part[1]] = part[2] }
        printf "\n%-24s %10s %10s %8s\n", "case", "counted", "accepted", "change"
    }
    {
        now[$1] = $2
        if (!($1 in old)) { printf "%-24s %10d %10s\n", $1, $2, "none"; failed = 1; next }
        change = 100 * ($2 - old[$1]) / old[$1]
        outside = change > band || change < -band
        printf "%-24s %10d %10d %7.1f%%%s\n", $1, $2, old[$1], change, outside ? "  outside the band" : ""
        failed = failed || outside
    }
    END {
        none = now["http-none"]
        extractor = now["http-extractor"] - none
        printf "\na request above no authentication, of what the extractor adds (%d):\n", extractor
        printf "  table     %.3f  must be at most 0.10\n", (now["http-ours-table"] - none) / extractor
        printf "  no table  %.3f  must be at most 0.45\n", (now["http-ours"] - none) / extractor
        exit failed
    }'
