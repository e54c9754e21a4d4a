//! The modules of `flask-pyjwt-core` depend on each other in one direction, and its files have no cycles.
//!
//! A dependency is what a file names in `use crate::…` and `use super::…`, and in paths in its code. Code under
//! `#[cfg(test)]` does not count, nor does what a module uses of the modules inside it.

mod modules;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use support::example::repository;

use self::modules::{Crate, Use};

/// The modules at the root of the crate, from the lowest to the highest. Each one uses only those before it.
const LAYERS: &[&str] = &[
    "error_chain",  // an error and its sources in one sentence
    "json",         // JSON, read strictly
    "jose",         // terms of all parts: segments, header, moments, types, errors
    "error",        // what is wrong with a configuration, and why nothing is minted
    "public_url",   // addresses of this server that clients see
    "files",        // reading files that others must not be able to change
    "reentry",      // code of the application that calls back
    "clock",        // the source of the time
    "log_limit",    // a limit for the events of a flood
    "replay",       // what may be used once
    "background",   // the library's threads
    "claims",       // checks of the claims in a payload
    "keys",         // keys that sign and verify
    "possession",   // what a client proves to use a bound token
    "meters",       // counters and times for the recorder of the application
    "remote",       // keys that are fetched
    "issuers",      // other issuers: their keys and rules
    "token",        // tokens: verified, remembered, minted
    "rules",        // what a route requires of a token
    "session",      // sessions, and the stores that keep them
    "users",        // the users behind tokens, and the application's loaders
    "config",       // the configuration, and the parts of a manager made from it
    "manager",      // the object that a server shares
    "web",          // HTTP
    "oauth",        // OAuth's endpoints: token, introspection, revocation, metadata
    "without_jwks", // error messages of the compiler if the feature is off
    "openapi",      // what a description of the interface says of guarded operations
    "testing",      // the test kit and the audit
    "__private",    // functions that the attribute's expansion calls
    "lib",          // the public interface
];

#[test]
fn modules_use_only_lower_modules() {
    let wrong = upward(&core().uses());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_use_each_other_without_cycles() {
    let wrong = circular(&core().uses());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn core() -> Crate {
    Crate::read(&repository().join("flask-pyjwt-core/src"))
}

/// The module at the root that contains a file: `keys` for `keys/jwk.rs` and for `keys.rs`.
fn layer(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn height(file: &str) -> usize {
    let height = LAYERS.iter().position(|&name| name == layer(file));
    height.unwrap_or_else(|| panic!("`{}` has no place in LAYERS: add it", layer(file)))
}

/// Uses of a higher module.
fn upward(uses: &[Use]) -> Vec<String> {
    let uses = uses.iter().filter(|it| height(&it.from) < height(&it.to));
    uses.map(|it| {
        let (from, to) = (layer(&it.from), layer(&it.to));
        format!("`{from}` must not use `{to}`: {it}")
    })
    .collect()
}

/// Uses that are part of a cycle inside a layer, directly or through other files.
fn circular(uses: &[Use]) -> Vec<String> {
    let uses = uses.iter().filter(|it| height(&it.from) == height(&it.to));
    let mut below = BTreeMap::<&str, Vec<&str>>::new();
    for it in uses.clone() {
        below.entry(&it.from).or_default().push(&it.to);
    }
    let leads_back = |it: &&Use| {
        let mut seen = BTreeSet::new();
        let mut open = vec![it.to.as_str()];
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(below.get(file).into_iter().flatten());
            }
        }
        seen.contains(it.from.as_str())
    };
    let uses = uses.filter(leads_back);
    uses.map(|it| format!("part of a cycle: {it}")).collect()
}

/// A crate with one mistake of each kind, and with correct code that looks like one.
#[test]
fn each_wrong_use_is_reported_with_its_file_and_line() {
    let folder = std::env::temp_dir().join(format!("flask-pyjwt-layers-{}", std::process::id()));
    for (file, text) in [
        (
            "lib.rs",
            "mod json;\nmod keys;\nmod web;\npub use crate::web::Answer;\n",
        ),
        (
            "json.rs",
            "// use crate::web::Answer;\n\
             /* use crate::web::Answer; /* */ */\n\
             const TEXT: &str = r#\"use crate::web::\"Answer\"\"#;\n\
             const QUOTE: char = '\"';\n\
             fn all<'a>(_: &'a str, _: crate::web::Answer) {}\n\
             #[cfg(test)]\nmod tests {\n    use crate::web::Answer;\n}\n",
        ),
        (
            "keys/mod.rs",
            "mod one;\n#[path = \"second.rs\"]\nmod two;\nmod three;\n\
             pub(crate) use self::{one::One, two::Two};\npub(crate) struct Own;\n",
        ),
        (
            "keys/one.rs",
            "use super::{Own, Two as Other, three};\npub(crate) struct One;\nfn f() { three::g() }\n",
        ),
        (
            "keys/second.rs",
            "use std::fmt;\n\nuse super::{\n    Own,\n    One,\n};\npub(crate) struct Two;\n",
        ),
        (
            "keys/three.rs",
            "mod inside { use super::g; use crate::keys::Own; }\n\
             #[cfg(all(test, unix))]\nuse super::One;\npub(crate) fn g() { crate::json::all() }\n",
        ),
        (
            "web.rs",
            "use crate::{json, keys::{self, One}};\npub struct Answer;\n",
        ),
    ] {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let uses = Crate::read(&folder).uses();
    std::fs::remove_dir_all(&folder).expect("it exists");
    assert_eq!(
        upward(&uses),
        ["`json` must not use `web`: json.rs:5 uses crate::web::Answer of web.rs"]
    );
    assert_eq!(
        circular(&uses),
        [
            "part of a cycle: keys/one.rs:1 uses super::Two of keys/second.rs",
            "part of a cycle: keys/second.rs:5 uses super::One of keys/one.rs",
        ]
    );
    assert!(uses.iter().any(|it| it.to == "keys/three.rs"));
}
