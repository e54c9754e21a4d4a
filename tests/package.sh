#!/bin/sh
# Checks the published packages, as users get them: sh tests/package.sh
#
# Packs them as `cargo publish` would, unpacks them outside the repository, and checks their contents, the links
# of their READMEs, and whether the library compiles there with all features.
# Compiled dependencies are shared with the workspace.
set -eu

cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cargo fetch --quiet --locked
# Changes that are not committed yet are packed, too.
cargo package --quiet -p flask-pyjwt -p flask-pyjwt-cli -p flask-pyjwt-core -p flask-pyjwt-grammar -p flask-pyjwt-macros \
    -p flask-pyjwt-pkcs11 -p flask-pyjwt-postgres --no-verify --locked --allow-dirty --target-dir "$folder/packed"
# Without the version, so that the folders keep their names when it changes.
for package in flask-pyjwt flask-pyjwt-cli flask-pyjwt-core flask-pyjwt-grammar flask-pyjwt-macros flask-pyjwt-pkcs11 \
    flask-pyjwt-postgres; do
    mkdir "$folder/$package"
    tar -xzf "$folder/packed/package/$package"-[0-9]*.crate -C "$folder/$package" --strip-components 1
done

python3 tests/package.py "$folder"

cd "$folder/flask-pyjwt"
CARGO_TARGET_DIR=$target cargo check --offline --lib --all-features \
    --config "patch.crates-io.flask-pyjwt-core.path='$folder/flask-pyjwt-core'" \
    --config "patch.crates-io.flask-pyjwt-grammar.path='$folder/flask-pyjwt-grammar'" \
    --config "patch.crates-io.flask-pyjwt-macros.path='$folder/flask-pyjwt-macros'" \
    --config "patch.crates-io.flask-pyjwt-postgres.path='$folder/flask-pyjwt-postgres'"
