//! Each link has a definition at the end of its page, for code hosts and the book, and one in links.md, for
//! rustdoc.

use std::collections::{BTreeMap, BTreeSet};

use super::{Page, pages, read};

const API: &str = "https://docs.rs/flask-pyjwt/latest/flask_pyjwt/";

/// What a link points to, independent of its syntax.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A page by its path below docs/guide, and optionally a heading.
    Page(String, String),
    /// An item of the public interface by its path below the crate.
    Item(String),
    /// Another address.
    Address(String),
}

/// Reads a link as it is written in a page.
fn of_page(page: &str, link: &str) -> Target {
    if let Some(item) = link.strip_prefix(API) {
        return Target::Item(item_of_address(item));
    }
    if link.starts_with("https://") {
        return Target::Address(link.to_owned());
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = match (path.strip_prefix("../"), folder) {
        (Some(path), "issuers") => path.to_owned(),
        (None, "") => path.to_owned(),
        (None, folder) => format!("{folder}/{path}"),
        (Some(_), _) => panic!("{page}: `{link}` leaves the guide"),
    };
    Target::Page(path, anchor.to_owned())
}

/// `store/struct.FileStore.html#method.open` is `store::FileStore::open`.
fn item_of_address(address: &str) -> String {
    let (path, member) = address.split_once('#').unwrap_or((address, ""));
    let mut parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(name) = parts.last().and_then(|file| file.strip_suffix(".html")) {
        parts.pop();
        parts.extend(name.split_once('.').map(|(_, name)| name));
    }
    parts.extend(member.split_once('.').map(|(_, name)| name));
    parts.join("::")
}

/// Reads a link as it is written in links.md.
fn of_rustdoc(link: &str) -> Target {
    let path = link.rsplit_once('@').map_or(link, |(_, path)| path);
    let Some(path) = path.strip_prefix("crate::") else {
        return Target::Address(link.to_owned());
    };
    let Some(module) = path.strip_prefix("guide") else {
        return Target::Item(path.trim_end_matches(['!', '(', ')']).to_owned());
    };
    let (module, anchor) = module.split_once('#').unwrap_or((module, ""));
    let page = match module.strip_prefix("::") {
        Some(module) => module.replace("::", "/"),
        None => "introduction".to_owned(),
    };
    Target::Page(format!("{page}.md"), anchor.to_owned())
}

/// The labels of `[text][label]`.
fn labels(prose: &str) -> BTreeSet<&str> {
    let links = prose.split("][").skip(1);
    links
        .filter_map(|rest| Some(rest.split_once(']')?.0))
        .collect()
}

/// The targets of `[text](target)`.
fn inline(prose: &str) -> impl Iterator<Item = &str> {
    let links = prose.split("](").skip(1);
    links.filter_map(|rest| Some(rest.split_once(')')?.0))
}

#[test]
fn every_link_is_defined_in_its_page_and_for_rustdoc_and_leads_to_a_heading() {
    let pages = pages();
    let rustdoc = Page::new(&read("docs/guide/links.md"), "links.md".to_owned());
    let mut for_rustdoc = BTreeMap::new();
    let mut problems = Vec::new();
    for (label, link) in &rustdoc.definitions {
        if for_rustdoc.insert(label, of_rustdoc(link)).is_some() {
            problems.push(format!("links.md: `[{label}]` twice"));
        }
    }
    for page in &pages {
        let used = labels(&page.prose);
        let mut defined = BTreeMap::new();
        for (label, link) in &page.definitions {
            if defined.insert(label.as_str(), link).is_some() {
                problems.push(format!("{}: `[{label}]` is defined twice", page.name));
            }
            if !used.contains(label.as_str()) {
                problems.push(format!("{}: `[{label}]` is not used", page.name));
            }
        }
        for label in used {
            let Some(link) = defined.get(label) else {
                problems.push(format!("{}: `[{label}]` is not defined", page.name));
                continue;
            };
            let target = of_page(&page.name, link);
            match for_rustdoc.get(&label.to_owned()) {
                Some(other) if *other != target => problems.push(format!(
                    "{}: `[{label}]` is {target:?}, and {other:?} in links.md",
                    page.name
                )),
                None if !matches!(target, Target::Address(_)) => {
                    problems.push(format!(
                        "links.md: no `[{label}]`, which {} uses",
                        page.name
                    ));
                }
                _ => {}
            }
            problems.extend(missing(&target, &pages).map(|what| format!("{}: {what}", page.name)));
        }
        for link in inline(&page.prose) {
            // A relative path would be wrong in rustdoc.
            let is_here = link.strip_prefix('#').map(|anchor| page.has(anchor));
            if !is_here.unwrap_or_else(|| link.starts_with("https://")) {
                problems.push(format!("{}: the link `{link}` has no target", page.name));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is missing, if the link points to a page or a heading that does not exist.
fn missing(target: &Target, pages: &[Page]) -> Option<String> {
    let Target::Page(path, anchor) = target else {
        return None;
    };
    let Some(page) = pages.iter().find(|page| page.name == *path) else {
        return Some(format!("there is no page {path}"));
    };
    (!page.has(anchor)).then(|| format!("{path} has no heading `#{anchor}`"))
}

impl Page {
    fn has(&self, anchor: &str) -> bool {
        anchor.is_empty() || self.anchors.iter().any(|other| other == anchor)
    }
}

#[test]
fn links_of_both_kinds_are_compared() {
    let page = |path: &str, anchor: &str| Target::Page(path.to_owned(), anchor.to_owned());
    let item = |path: &str| Target::Item(path.to_owned());
    for (link, rustdoc, target) in [
        ("keys.md", "crate::guide::keys", page("keys.md", "")),
        (
            "keys.md#rotate",
            "crate::guide::keys#rotate",
            page("keys.md", "rotate"),
        ),
        (
            "introduction.md",
            "crate::guide",
            page("introduction.md", ""),
        ),
        (
            "issuers/google.md",
            "crate::guide::issuers::google",
            page("issuers/google.md", ""),
        ),
        (
            &format!("{API}struct.Config.html#method.trust"),
            "crate::Config::trust",
            item("Config::trust"),
        ),
        (
            &format!("{API}store/trait.SessionStore.html"),
            "trait@crate::store::SessionStore",
            item("store::SessionStore"),
        ),
    ] {
        assert_eq!(of_page("answers.md", link), target);
        assert_eq!(of_rustdoc(rustdoc), target);
    }
    assert_eq!(
        of_page("issuers/google.md", "../keys.md"),
        page("keys.md", "")
    );
    assert_eq!(
        of_page("issuers/google.md", "entra.md"),
        page("issuers/entra.md", "")
    );
}
