//! The code of the guide's pages about issuers.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The recipes of a page: the value of each `let … = Issuer::…;` in its blocks of Rust, in the spelling of
/// [`normal`].
pub(crate) fn recipes_of(page: &str) -> Vec<String> {
    let mut block: Option<String> = None;
    let mut recipes = Vec::new();
    for line in page.lines() {
        match &mut block {
            None if line == "```rust" || line == "```rust,no_run" => block = Some(String::new()),
            None => {}
            Some(code) if line == "```" => {
                let code: TokenStream = code.parse().expect("Rust");
                recipes.extend(recipes_in(code));
                block = None;
            }
            Some(code) => {
                code.push_str(line);
                code.push('\n');
            }
        }
    }
    recipes
}

/// The headings of a page, without their marks.
pub(crate) fn headings_of(page: &str) -> Vec<&str> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim())
        .collect()
}

/// The code in one spelling, without line breaks and comments.
pub(crate) fn normal(code: &str) -> String {
    let tokens: TokenStream = code.parse().expect("Rust");
    tokens.to_string()
}

/// The recipes in these statements, and in the blocks among them.
fn recipes_in(code: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut tokens = code.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                found.extend(recipes_in(group.stream()));
            }
            token if token.to_string() == "let" => {
                let value: TokenStream = tokens
                    .by_ref()
                    .skip_while(|token| !is_punctuation(token, '='))
                    .skip(1)
                    .take_while(|token| !is_punctuation(token, ';'))
                    .collect();
                let value = value.to_string();
                if value.starts_with("Issuer") {
                    found.push(value);
                }
            }
            _ => {}
        }
    }
    found
}

fn is_punctuation(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

#[test]
fn recipes_are_found_in_programs_and_in_statements() {
    let page = "# Page\n```rust,no_run\nfn main() {\n    let a = Issuer::new(\"a\").audience(\"x\");\n    let n = 1;\n}\n```\n\
                ## Next\n```rust\nlet b = Issuer::new(\"b\");\n```\n```text\nlet c = Issuer::new(\"c\");\n```\n";
    let expected = [
        normal("Issuer::new(\"a\").audience(\"x\")"),
        normal("Issuer::new(\"b\")"),
    ];
    assert_eq!(recipes_of(page), expected);
    assert_eq!(headings_of(page), ["Page", "Next"]);
}
