//! The code of docs/issuers.md, section by section.

use proc_macro2::{TokenStream, TokenTree};

/// What a page gives a name to, as `(section, code)`: the code of each `let … = …;` in the blocks that are
/// plain `rust`, in the spelling of [`normal`].
pub(crate) fn recipes_of_the_page(page: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut block: Option<String> = None;
    let mut recipes = Vec::new();
    for line in page.lines() {
        match &mut block {
            None if line.starts_with("## ") => line[3..].clone_into(&mut section),
            None if line == "```rust" => block = Some(String::new()),
            None => {}
            // What stands before the first section is about all of them.
            Some(_) if line == "```" && section.is_empty() => block = None,
            Some(code) if line == "```" => {
                recipes.extend(named_in(code).into_iter().map(|it| (section.clone(), it)));
                block = None;
            }
            Some(_) if line.starts_with("# ") => {}
            Some(code) => {
                code.push_str(line);
                code.push('\n');
            }
        }
    }
    recipes
}

/// One spelling for the same code, whatever its line breaks and comments.
pub(crate) fn normal(code: &str) -> String {
    let tokens: TokenStream = code.parse().expect("Rust");
    tokens.to_string()
}

fn named_in(code: &str) -> Vec<String> {
    let tokens: TokenStream = code.parse().expect("Rust");
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        if token.to_string() != "let" {
            continue;
        }
        let value: TokenStream = tokens
            .by_ref()
            .skip_while(|token| !is_punctuation(token, '='))
            .skip(1)
            .take_while(|token| !is_punctuation(token, ';'))
            .collect();
        found.push(value.to_string());
    }
    found
}

fn is_punctuation(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}
