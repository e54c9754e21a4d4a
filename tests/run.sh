#!/bin/sh
# Everything that has to hold before a change is accepted, in one command:
#
#   sh tests/run.sh             all of it, in this order:
#   sh tests/run.sh check       formatting, lints, documentation, links, dependencies, packages
#   sh tests/run.sh test        tests that need no other program, with both cryptographies
#   sh tests/run.sh external    tests with Redis, a browser, an OpenID provider, the real Flask_PyJWT, curl
#
# Needs Rust, and installs the rest from Debian's packages if it may. Each step prints the seconds since the start. The
# first failure ends the run.
set -eu

stage=${1:-all}
case $stage in
all | check | test | external) ;;
*)
    echo "usage: sh tests/run.sh [check | test | external]" >&2
    exit 2
    ;;
esac

cd "$(dirname "$0")/.."
began=$(date +%s)

# A test that lacks what it needs fails. It is not skipped.
CI=true
# Each crate is compiled once, so that incremental compilation only costs time.
CARGO_INCREMENTAL=0
export CI CARGO_INCREMENTAL

step() {
    printf '\n[%4d s] %s\n' "$(($(date +%s) - began))" "$*"
}

run() {
    step "$@"
    "$@"
}

die() {
    printf '\n[%4d s] failed: %s\n' "$(($(date +%s) - began))" "$*" >&2
    exit 1
}

# --- What the steps need -------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo -n "$@"
    else
        return 1
    fi
}

updated=
install() {
    step "installing Debian's $*"
    command -v apt-get >/dev/null 2>&1 || die "please install $*"
    if [ -z "$updated" ]; then
        as_root apt-get -q update || die "apt-get update; please install $*"
        updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@" ||
        die "please install $*"
}

component() {
    cargo "$1" --version >/dev/null 2>&1 && return
    step "installing Rust's $2"
    rustup component add "$2" || die "please install $2"
}

runs() {
    [ "$stage" = all ] || [ "$stage" = "$1" ]
}

step "looking for what the steps need"
command -v cargo >/dev/null 2>&1 || die "please install Rust"
cargo --version
rustc --version
# The C parts of AWS-LC.
command -v cc >/dev/null 2>&1 || install gcc libc6-dev
# Certificates of the servers that tests start.
command -v openssl >/dev/null 2>&1 || install openssl
# Scripts of the steps, and the real Flask_PyJWT in a virtual environment.
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install python3 python3-venv
if runs check; then
    component fmt rustfmt
    component clippy clippy
fi
if runs external; then
    # The certified oidc-provider, which tests/external/oidc.rs installs under target/.
    command -v node >/dev/null 2>&1 || install nodejs
    command -v npm >/dev/null 2>&1 || install npm
    # The curl lines of the examples and of the guide.
    command -v curl >/dev/null 2>&1 || install curl
    if ! command -v "${REDIS_SERVER:-redis-server}" >/dev/null 2>&1; then
        install redis-server
        # The package starts a server, which is not needed.
        as_root service redis-server stop >/dev/null 2>&1 || true
        as_root update-rc.d redis-server disable >/dev/null 2>&1 || true
    fi
    # The page of examples/browser.rs.
    command -v chromium >/dev/null 2>&1 || install chromium
    command -v chromedriver >/dev/null 2>&1 || install chromium-driver
    # The same page behind a proxy.
    command -v nginx >/dev/null 2>&1 || {
        install nginx-light
        # The package starts a server, which is not needed.
        as_root service nginx stop >/dev/null 2>&1 || true
        as_root update-rc.d nginx disable >/dev/null 2>&1 || true
    }
    python3 --version
    node --version
    chromedriver --version
fi

# Every run of tests names the same packages and features, so that cargo compiles each crate once for all of them.
# The measurements in benches/ are left out: they bring features of their own.
everything='--workspace --exclude flask-pyjwt-benches --all-features'
# sqlx in examples/notes needs Rust 1.94; everything else 1.90.
rust=$(rustc --version | sed 's/^rustc 1\.\([0-9]*\).*/\1/')
[ "$rust" -ge 94 ] || everything="$everything --exclude notes"
# No other package may be included: it would enable AWS-LC, which is used if both are enabled.
rust_crypto='-p flask-pyjwt-core -p flask-pyjwt-tests -p examples --no-default-features --features rust-crypto'

# Without target names, so that the examples that tests run are built, too.
if cargo nextest --version >/dev/null 2>&1; then
    nextest() { run cargo nextest run --locked --no-fail-fast -E "$@"; }
    inside() { nextest 'not binary(external)' $everything; }
    beside() { nextest 'binary(external)' $everything; }
    # The texts of diagnostics, the session file and the browser do not depend on the cryptography.
    inside_again() {
        nextest 'not (binary(external) | binary(ui) | test(/^(file_store|fuzzed|layers|threats_index)::/))' \
            $rust_crypto
    }
    # Here the Redis store has no TLS.
    beside_again() {
        nextest 'binary(external) & test(/^(interop|oidc|redis_store::connecting)::/)' $rust_crypto
    }
else
    plain() { run cargo test --locked --no-fail-fast "$@"; }
    inside() { plain $everything --lib --bins --test it --test table_memory --test ui; }
    beside() { plain $everything --test external; }
    inside_again() { plain $rust_crypto --lib --test it; }
    beside_again() { plain $rust_crypto --test external -- interop:: oidc:: redis_store::connecting::; }
fi

# --- The steps: the quick ones first -------------------------------------------------------------------

check() {
    run cargo fmt --all --check
    for package in tests/serde_features tests/public_api docs/site; do
        run cargo fmt --manifest-path "$package/Cargo.toml" --check
    done

    # What a user compiles first. Cargo counts in a form that it does not call stable yet.
    step "the packages that the quickstart compiles"
    RUSTC_BOOTSTRAP=1 cargo build --locked --example quickstart --unit-graph -Z unstable-options | python3 -c '
import json, sys
packages = len({unit["pkg_id"] for unit in json.load(sys.stdin)["units"]})
print(f"{packages}, of at most 185")
sys.exit(packages > 185)
' || die "the quickstart compiles too much: cargo tree -p examples -p flask-pyjwt"

    # Everything with AWS-LC, then with RustCrypto alone, then the core with both.
    run cargo clippy --locked --workspace --all-targets -- -D warnings
    run cargo clippy --locked $rust_crypto --all-targets -- -D warnings
    run cargo clippy --locked -p flask-pyjwt-core --all-targets --all-features -- -D warnings

    # Each feature alone, without those that other packages enable. A feature that is not a cryptography needs
    # one.
    features=$(cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
packages = json.load(sys.stdin)["packages"]
print(*next(p["features"] for p in packages if p["name"] == "flask-pyjwt"))
')
    for feature in $features; do
        case $feature in
        default) continue ;;
        aws-lc-rs | rust-crypto) alone=$feature ;;
        *) alone=aws-lc-rs,$feature ;;
        esac
        run cargo clippy --locked -p flask-pyjwt --no-default-features --features "$alone" -- -D warnings
    done

    run env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --all-features \
        -p flask-pyjwt -p flask-pyjwt-core -p flask-pyjwt-macros

    # The public interface must be the one in docs/public-api.txt. After an intended change: UPDATE_PUBLIC_API=1.
    run cargo run --quiet --locked --manifest-path tests/public_api/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}/public_api"

    if cargo deny --version >/dev/null 2>&1; then
        run cargo deny --locked check licenses bans sources
    else
        step "cargo-deny is not installed: licences, duplicates and sources are not looked at"
    fi

    # The contents of tokens with each feature of serde_json that another crate may enable. A package outside the
    # workspace, where those features are off.
    for feature in '' arbitrary_precision float_roundtrip preserve_order raw_value unbounded_depth; do
        run env CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/serde_features" \
            cargo run --quiet --locked --manifest-path tests/serde_features/Cargo.toml --features "$feature"
    done

    # The guide as a book, and the links of all documents.
    run sh docs/site.sh
    run python3 tests/links.py

    # What users get.
    run sh tests/package.sh
}

tests() {
    inside
    inside_again
    run cargo test --locked $everything --doc
}

external() {
    beside
    beside_again
}

if runs check; then check; fi
if runs test; then tests; fi
if runs external; then external; fi

step "everything passed"
