//! `TestIssuer::issuer` has the settings of the guide's recipes, compared token by token.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::recipes::{PAGES, page::recipes_of};

const SHAPES: [&str; 6] = [
    include_str!("../../../flask-pyjwt-core/src/testing/issuer/shapes/accounts.rs"),
    include_str!("../../../flask-pyjwt-core/src/testing/issuer/shapes/companies.rs"),
    include_str!("../../../flask-pyjwt-core/src/testing/issuer/shapes/machines.rs"),
    include_str!("../../../flask-pyjwt-core/src/testing/issuer/shapes/microsoft.rs"),
    include_str!("../../../flask-pyjwt-core/src/testing/issuer/shapes/open_source.rs"),
    include_str!("../../../flask-pyjwt-core/src/testing/issuer/shapes/self_hosted.rs"),
];

/// Values of the guide that have a name in the shapes.
const NAMES: [(&str, &str); 3] = [
    ("\"TENANT-ID\"", "tenant ! ()"),
    ("\"CLIENT-ID.apps.googleusercontent.com\"", "GOOGLE_CLIENT"),
    ("\"112010400000000710080\"", "GOOGLE_SERVICE"),
];

/// The calls of a chain, without those that say where the keys are.
fn calls(chain: &str) -> Vec<String> {
    let calls = chain.split(" . ").skip(1);
    let settings = calls.filter(|call| {
        let method = call.split(' ').next();
        !matches!(
            method,
            Some("discovery" | "discovery_url" | "jwks_url" | "key")
        )
    });
    settings
        .map(|call| match call.split(' ').next() {
            Some("audience") => "audience".to_owned(),
            _ => NAMES
                .iter()
                .fold(call.replace(" ,)", ")"), |call, (value, name)| {
                    call.replace(value, name)
                }),
        })
        .collect()
}

/// The value of each `settings: …` in a file.
fn settings_in(code: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut tokens = code.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "settings" => {
                // `: |issuer, audience|` has six tokens.
                let mut value = tokens.by_ref().skip(6).peekable();
                let block = match value.peek() {
                    Some(TokenTree::Group(group)) => group.stream(),
                    _ => value
                        .take_while(
                            |token| !matches!(token, TokenTree::Punct(it) if it.as_char() == ','),
                        )
                        .collect(),
                };
                found.push(block.to_string());
            }
            TokenTree::Group(group) => found.extend(settings_in(group.stream())),
            _ => {}
        }
    }
    found
}

#[test]
fn each_issuer_has_the_settings_of_its_recipe() {
    let recipes: BTreeSet<_> = PAGES
        .iter()
        .flat_map(|page| recipes_of(page))
        .map(|recipe| calls(&recipe))
        .collect();
    let settings = SHAPES.map(|file| settings_in(file.parse().expect("Rust")));
    let settings: Vec<_> = settings.into_iter().flatten().collect();
    assert_eq!(settings.len(), 23, "one for each issuer");
    let unknown: Vec<_> = settings
        .iter()
        .map(|settings| calls(settings))
        .filter(|settings| !recipes.contains(settings))
        .collect();
    // The plain standard is on no page.
    let plain = vec!["audience".to_owned(), "types ([\"at+jwt\"])".to_owned()];
    assert_eq!(unknown, [plain]);
}
