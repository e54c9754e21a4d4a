#!/bin/sh
# Everything that has to hold before a change is accepted, in one command:
#
#   sh tests/run.sh             all of it, in this order:
#   sh tests/run.sh check       formatting, features, documentation, links, dependencies, packages
#   sh tests/run.sh test        tests that need no other program, with both cryptographies
#   sh tests/run.sh external    tests with Redis, an HSM, a browser, an OpenID provider, the real Flask_PyJWT, curl
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
# Each crate is compiled once, so that incremental compilation only costs time. Nobody debugs these programs.
CARGO_INCREMENTAL=0
CARGO_PROFILE_DEV_DEBUG=0
export CI CARGO_INCREMENTAL CARGO_PROFILE_DEV_DEBUG

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
component fmt rustfmt
component clippy clippy

# What only the tests beside other programs need.
programs() {
    step "looking for the programs that tests run"
    # The certified oidc-provider and openid-client, which tests/external/npm.rs installs under target/.
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
    if ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && [ -z "${POSTGRES_BIN:-}" ]; then
        install postgresql
        # The package starts a server, which is not needed.
        as_root service postgresql stop >/dev/null 2>&1 || true
        as_root update-rc.d postgresql disable >/dev/null 2>&1 || true
    fi
    command -v pgbouncer >/dev/null 2>&1 || {
        install pgbouncer
        as_root service pgbouncer stop >/dev/null 2>&1 || true
        as_root update-rc.d pgbouncer disable >/dev/null 2>&1 || true
    }
    # An HSM in software, for flask-pyjwt-pkcs11.
    command -v softhsm2-util >/dev/null 2>&1 && [ -e /usr/lib/softhsm/libsofthsm2.so ] || install softhsm2
    # A network that loses packets, for the near cache of Redis.
    command -v ip >/dev/null 2>&1 && command -v tc >/dev/null 2>&1 || install iproute2
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
    node --version
    chromedriver --version
}

# Every run of tests names the same packages and features, so that cargo compiles each crate once for all of them.
# The measurements in benches/ are left out: they bring features of their own.
everything='--workspace --exclude flask-pyjwt-benches --all-features'
# sqlx in flask-pyjwt-postgres, flask-pyjwt-cli, examples/sessions, examples/notes and tests/audits needs Rust 1.94; everything else 1.90.
rust=$(rustc --version | sed 's/^rustc 1\.\([0-9]*\).*/\1/')
if [ "$rust" -lt 94 ]; then
    everything='--workspace --exclude flask-pyjwt-benches --exclude flask-pyjwt-cli --exclude flask-pyjwt-postgres --exclude notes
        --exclude sessions-example --exclude audits
        --no-default-features --features examples/default,flask-pyjwt/default,flask-pyjwt/file-store,flask-pyjwt/jwks
        --features flask-pyjwt/redis-store-tls,flask-pyjwt/store-conformance,flask-pyjwt-tests/aws-lc-rs
        --features flask-pyjwt-tests/redis-store-tls'
fi
# No other package may be included: it would enable AWS-LC, which is used if both are enabled.
rust_crypto='-p flask-pyjwt-core -p flask-pyjwt-tests -p examples --no-default-features --features rust-crypto'

# Clippy looks at what is compiled.
linted() { run env RUSTC_WORKSPACE_WRAPPER="$PWD/tests/lint.sh" "$@"; }

# Without target names, so that the examples that tests run are built, too.
if cargo nextest --version >/dev/null 2>&1; then
    # More tests at once than there are cores: those beside other programs mostly wait for them.
    nextest() { linted cargo nextest run --locked --no-fail-fast --test-threads "$(($(nproc) + 1))" -E "$@"; }
    # One of notes sends its server the requests of schemathesis.
    beside='binary(external) | binary(softhsm) | package(notes) & test(/^tests::described::/)'
    inside() { nextest "not ($beside)" $everything; }
    beside() { nextest "$beside" $everything; }
    both() { nextest 'all()' $everything; }
    # What depends on the cryptography. Of the tests in tests/it/, main.rs compiles nothing else.
    inside_again='binary(it) | package(flask-pyjwt-core) & test(/^(config|jose|keys|oauth|possession|token)::/)'
    # Here the Redis store has no TLS.
    beside_again='binary(external) & test(/^(interop|oidc|redis_store::connecting)::/)'
    inside_again() { nextest "$inside_again" $rust_crypto; }
    beside_again() { nextest "$beside_again" $rust_crypto; }
    both_again() { nextest "$inside_again | $beside_again" $rust_crypto; }
else
    plain() { linted cargo test --locked --no-fail-fast "$@"; }
    inside() { plain $everything --lib --bins --test it --test table_memory --test ui; }
    beside() { plain $everything --test external --test softhsm; }
    both() {
        inside
        beside
    }
    inside_again() { plain $rust_crypto --lib --test it; }
    beside_again() { plain $rust_crypto --test external -- interop:: oidc:: redis_store::connecting::; }
    both_again() {
        inside_again
        beside_again
    }
fi

# --- The steps: the quick ones first -------------------------------------------------------------------

# What compiles into folders of its own. It runs beside the other checks, which often keep only one core busy.
apart() {
    [ "$stage" = check ] || programs

    # The contents of tokens with each feature of serde_json that another crate may enable. A package outside the
    # workspace, where those features are off.
    for feature in arbitrary_precision float_roundtrip,preserve_order,raw_value,unbounded_depth; do
        run env CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/serde_features" \
            cargo run --quiet --locked --manifest-path tests/serde_features/Cargo.toml --features "$feature"
    done

    # The guide as a book, and the links of all documents.
    run sh docs/site.sh
    run python3 tests/links.py

    # Used below.
    run cargo build --quiet --locked --manifest-path tests/public_api/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}/public_api"
}

start_apart() {
    log=$(mktemp)
    apart >"$log" 2>&1 &
    apart=$!
    # A run that fails leaves no process behind.
    trap 'wait; rm -f "$log"' EXIT
}

finish_apart() {
    step "waiting for what runs beside this, and has printed:"
    ended=0
    wait "$apart" || ended=$?
    cat "$log"
    [ "$ended" = 0 ] || die "see above"
}

check() {
    start_apart
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

    # What no test compiles. The steps below look at everything else while they compile it.
    run cargo clippy --locked -p flask-pyjwt-benches -p ui-tests --all-targets -- -D warnings

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
        # Those that share no code, two at a time.
        client-certificates | memory-store | metrics | store-conformance) continue ;;
        # The tests with RustCrypto compile it without TLS.
        redis-store) continue ;;
        file-store) alone=aws-lc-rs,file-store,client-certificates ;;
        jwks) alone=aws-lc-rs,jwks,store-conformance ;;
        oauth) alone=aws-lc-rs,oauth,metrics ;;
        utoipa) alone=aws-lc-rs,utoipa,memory-store ;;
        postgres-store) [ "$rust" -ge 94 ] || continue; alone=aws-lc-rs,$feature ;;
        aws-lc-rs | rust-crypto) alone=$feature ;;
        *) alone=aws-lc-rs,$feature ;;
        esac
        run cargo clippy --locked -p flask-pyjwt --no-default-features --features "$alone" -- -D warnings
    done

    run env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --all-features \
        -p flask-pyjwt -p flask-pyjwt-core -p flask-pyjwt-grammar -p flask-pyjwt-macros -p flask-pyjwt-pkcs11 \
        -p flask-pyjwt-postgres

    finish_apart

    # The public interface must be the one in docs/public-api.txt. After an intended change: UPDATE_PUBLIC_API=1.
    run cargo run --quiet --locked --manifest-path tests/public_api/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}/public_api"

    if cargo deny --version >/dev/null 2>&1; then
        run cargo deny --locked check licenses bans sources
    else
        step "cargo-deny is not installed: licences, duplicates and sources are not looked at"
    fi

    # What users get.
    run sh tests/package.sh
}

documentation() {
    linted cargo test --locked $everything --doc
}

case $stage in
all)
    check
    both
    both_again
    documentation
    ;;
check) check ;;
test)
    inside
    inside_again
    documentation
    ;;
external)
    programs
    beside
    beside_again
    ;;
esac

step "everything passed"
