#!/bin/sh
# Stands in for rustc where run.sh compiles the tests: clippy looks at what is compiled anyway. `cargo clippy` would
# check every dependency and every test once more. Cargo calls it for the packages of the workspace only.
case "$*" in
# The compiler's own messages are what tests/ui expects.
*/tests/trybuild/*) exec "$@" ;;
*) CLIPPY_ARGS=-Dwarnings exec clippy-driver "$@" ;;
esac
