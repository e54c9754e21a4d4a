//! A path that a pattern of a route matches.

use std::collections::BTreeMap;

use actix_web::dev::{Path, ResourceDef};
use regex_syntax::hir::{Class, Hir, HirKind};

/// What most variables take, in this order.
const CANDIDATES: [&str; 6] = [
    "x",
    "1",
    "00000000-0000-4000-8000-000000000000",
    "2000-01-01",
    "x.y",
    "x/y",
];
/// The longest text that is made for an expression.
const LONGEST: usize = 256;

/// A path, and the values of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Concrete {
    pub(super) path: String,
    pub(super) variables: BTreeMap<String, String>,
}

/// A part of a pattern.
enum Part<'a> {
    Text(&'a str),
    Variable { name: &'a str, expression: &'a str },
}

/// A path that the pattern matches. The error is the name of a variable for which no value was found.
pub(super) fn concrete(
    pattern: &str,
    given: &BTreeMap<String, String>,
) -> Result<Concrete, String> {
    let parts = parts(pattern);
    let mut texts: Vec<String> = Vec::new();
    for part in &parts {
        texts.push(match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Variable { name, expression } => match given.get(*name) {
                Some(value) => value.clone(),
                None => value_of(expression).ok_or_else(|| (*name).to_owned())?,
            },
        });
    }
    let path = texts.concat();
    let resource = ResourceDef::new(pattern);
    let mut matched = Path::new(path.clone());
    if !resource.capture_match_info(&mut matched) {
        let mut names = parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some((*name).to_owned()),
            Part::Text(_) => None,
        });
        return Err(names.next().unwrap_or_else(|| pattern.to_owned()));
    }
    let variables = matched.iter();
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables = variables.collect();
    Ok(Concrete { path, variables })
}

/// Splits `/users/{id:\d+}`. Braces inside an expression are counted.
fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        let (text, variable) = rest.split_at(open);
        let mut depth = 0_u32;
        let close = variable.char_indices().find(|(_, it)| {
            match it {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((close, _)) = close else { break };
        let inner = &variable[1..close];
        let (name, expression) = inner.split_once(':').unwrap_or((inner, "[^/]+"));
        parts.push(Part::Text(text));
        parts.push(Part::Variable { name, expression });
        rest = &variable[close + 1..];
    }
    // A tail without a variable: `/files/*`.
    parts.push(Part::Text(rest.strip_suffix('*').unwrap_or(rest)));
    parts
}

fn value_of(expression: &str) -> Option<String> {
    let anchored = ResourceDef::new(format!("{{it:{expression}}}"));
    let candidates = CANDIDATES.into_iter().map(str::to_owned);
    let made = regex_syntax::parse(expression).ok();
    let made = made.as_ref().and_then(text_of);
    let mut all = candidates.chain(made);
    all.find(|value| anchored.is_match(value))
}

/// A text that an expression matches: of each class the first letter or digit, of each repetition the shortest that is
/// not empty.
fn text_of(expression: &Hir) -> Option<String> {
    let mut text = String::new();
    append(expression, &mut text)?;
    Some(text)
}

fn append(expression: &Hir, text: &mut String) -> Option<()> {
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(one_of(class)?),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repetition.min.max(1).min(most) {
                append(&repetition.sub, text)?;
                if text.len() > LONGEST {
                    return None;
                }
            }
        }
        HirKind::Capture(capture) => append(&capture.sub, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                append(part, text)?;
            }
        }
        HirKind::Alternation(parts) => append(parts.first()?, text)?,
    }
    Some(())
}

fn one_of(class: &Class) -> Option<char> {
    let has = |it: char| match class {
        Class::Unicode(class) => {
            let mut ranges = class.ranges().iter();
            ranges.any(|range| (range.start()..=range.end()).contains(&it))
        }
        Class::Bytes(class) => {
            let mut ranges = class.ranges().iter();
            ranges.any(|range| {
                let range = char::from(range.start())..=char::from(range.end());
                range.contains(&it)
            })
        }
    };
    let mut usual = ('a'..='z')
        .chain('A'..='Z')
        .chain('0'..='9')
        .chain("-_.~".chars());
    usual.find(|it| has(*it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(pattern: &str) -> Result<String, String> {
        concrete(pattern, &BTreeMap::new()).map(|it| it.path)
    }

    #[test]
    fn a_path_is_found_for_each_pattern() {
        for (pattern, expected) in [
            ("/", "/"),
            ("/users", "/users"),
            ("/users/{id}", "/users/x"),
            (r"/users/{id:\d+}", "/users/1"),
            (r"/years/{year:\d{4}}/x", "/years/0000/x"),
            ("/{a}-{b}.json", "/x-x.json"),
            ("/files/{tail:.*}", "/files/x"),
            ("/files/{tail}*", "/files/x"),
            ("/{lang:de|en}/x", "/de/x"),
            ("/{code:[A-Z]{3}[0-9]?}", "/AAA0"),
            (
                "/{id:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}}",
                "/00000000-0000-4000-8000-000000000000",
            ),
        ] {
            assert_eq!(path_of(pattern).as_deref(), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn given_values_are_used_and_checked() {
        let given = BTreeMap::from([("id".to_owned(), "7".to_owned())]);
        let found = concrete(r"/users/{id:\d+}/{name}", &given).expect("a path");
        assert_eq!(found.path, "/users/7/x");
        assert_eq!(found.variables["id"], "7");
        let given = BTreeMap::from([("id".to_owned(), "seven".to_owned())]);
        assert_eq!(concrete(r"/users/{id:\d+}", &given), Err("id".to_owned()));
    }
}
