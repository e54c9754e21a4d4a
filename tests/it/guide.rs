//! The pages of docs/guide are right on a code host, in the book and in rustdoc alike: links, headings and code
//! blocks. The tables that list settings, reasons and messages agree with the source.

mod links;
mod page;
mod tables;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

pub(crate) use self::{page::Page, tables::values_of_label};

/// The root of the repository. This package can be in a subfolder.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package
        .ancestors()
        .find(|folder| folder.join("docs/guide").is_dir());
    root.expect("a folder with docs/guide").to_owned()
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All pages by their paths below docs/guide, such as `issuers/keycloak.md`.
fn pages() -> Vec<Page> {
    let guide = root().join("docs/guide");
    let mut names = Vec::new();
    for folder in ["", "issuers"] {
        for entry in fs::read_dir(guide.join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_str().expect("a name in UTF-8");
            let path = Path::new(folder).join(name);
            let is_text = path.extension().is_some_and(|ending| ending == "md");
            if is_text && !["links.md", "SUMMARY.md"].contains(&name) {
                names.push(path.to_str().expect("a path in UTF-8").to_owned());
            }
        }
    }
    names.sort();
    let page = |name: String| Page::new(&read(format!("docs/guide/{name}")), name);
    names.into_iter().map(page).collect()
}

#[test]
fn every_page_is_in_the_book_and_in_rustdoc() {
    let found: BTreeSet<_> = pages().into_iter().map(|page| page.name).collect();

    let summary = read("docs/guide/SUMMARY.md");
    let listed = summary
        .lines()
        .filter_map(|line| line.split_once("](")?.1.strip_suffix(')'))
        .map(str::to_owned)
        .collect();
    assert_eq!(found, listed, "SUMMARY.md");

    let modules = read("src/guide.rs");
    for name in found {
        let is_included = match name.as_str() {
            "introduction.md" => modules.contains("docs/guide/introduction.md"),
            name => modules.contains(&format!("page!(\"{name}\")")),
        };
        assert!(is_included, "{name} is missing in src/guide.rs");
    }
}

#[test]
fn code_blocks_are_complete_and_have_a_language() {
    for page in pages() {
        for block in &page.blocks {
            let (name, language) = (&page.name, &block.language);
            assert!(!language.is_empty(), "{name}: a code block has no language");
            if !language.starts_with("rust") {
                continue;
            }
            let is_run = ["rust", "rust,no_run"].contains(&language.as_str());
            assert!(is_run, "{name}: `{language}` is not run as a doc test");
            for line in &block.lines {
                // rustdoc and mdBook hide such lines, but code hosts show them.
                let is_hidden = line.trim() == "#" || line.trim_start().starts_with("# ");
                assert!(!is_hidden, "{name}: the line `{line}` is hidden by rustdoc");
            }
        }
    }
}

#[test]
fn headings_have_distinct_anchors() {
    for page in pages() {
        let mut seen = BTreeSet::new();
        for anchor in &page.anchors {
            assert!(seen.insert(anchor), "{}: `#{anchor}` twice", page.name);
        }
        assert_eq!(page.titles, 1, "{}: a page has one title", page.name);
    }
}
