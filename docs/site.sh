#!/bin/sh
# Builds the guide as a searchable book into target/site: sh docs/site.sh
#
# The pages are docs/guide/*.md, in the order of docs/guide/SUMMARY.md, and docs/book.toml has the book's settings. mdBook
# comes along as a library (docs/site/), so nothing has to be installed. Open target/site/index.html in a browser.
set -eu

cd "$(dirname "$0")/.."
cargo run --quiet --locked --manifest-path docs/site/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}/tools"
