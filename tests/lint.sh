#!/usr/bin/env bash
# Stands in for rustc where run.sh compiles the tests: clippy looks at what is compiled anyway. `cargo clippy` would
# check every dependency and every test once more. Cargo calls it for the packages of the workspace only.
#
# In bash, since other shells drop variables such as `CARGO_BIN_EXE_flask-pyjwt`.
case "$*" in
# The compiler's own messages are what tests/ui expects.
*/tests/trybuild/*) exec "$@" ;;
*) CLIPPY_ARGS=-Dwarnings exec clippy-driver "$@" ;;
esac
