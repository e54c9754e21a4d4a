//! docs/threats.md lists the tests of every threat, and every threat has tests.
//!
//! The list at its end is generated: `UPDATE_THREATS=1 cargo test -p flask-pyjwt-tests --test it threats_index` writes
//! it. A test belongs to a threat by its name (`threat_38_…`, `threats_28_and_61_…`), or by its documentation or that
//! of its module (`docs/threats.md` with the number in code font before it).

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use support::example::repository;

const DOCUMENT: &str = "docs/threats.md";
/// The folders with tests.
const FOLDERS: [&str; 4] = [
    "tests",
    "flask-pyjwt-core/src",
    "flask-pyjwt-grammar/src",
    "flask-pyjwt-macros/src",
];
const HEADING: &str = "## Tests\n";

#[test]
fn every_threat_has_tests_and_the_document_names_them() {
    let root = repository();
    let path = root.join(DOCUMENT);
    let document = fs::read_to_string(&path).expect("the document");
    let table = document.split(HEADING).next().unwrap_or_default();

    let found = tests(root);
    let mut list = Vec::new();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    for number in rows.filter_map(|row| row.split(' ').next()?.parse::<u32>().ok()) {
        let names = found.get(&number);
        let names = names.unwrap_or_else(|| panic!("no test names threat {number}"));
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        list.push(format!("- {number}: {}\n", names.join(", ")));
    }
    let list = list.concat();
    let expected = format!(
        "{table}{HEADING}\nGenerated from the names and the documentation of the tests. A module stands for all its tests.\n\n{list}"
    );
    if env::var_os("UPDATE_THREATS").is_some() {
        fs::write(path, expected).expect("written");
    } else {
        assert!(
            document == expected,
            "the tests have changed: UPDATE_THREATS=1 cargo test -p flask-pyjwt-tests --test it threats_index"
        );
    }
}

/// The tests of each threat.
fn tests(root: &Path) -> BTreeMap<u32, BTreeSet<String>> {
    let mut tests = BTreeMap::<u32, BTreeSet<String>>::new();
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files);
    }
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let module = module(file.strip_prefix(root).expect("below the root"));
        let mut cited = BTreeSet::new();
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("//!") {
                for number in numbers(line.split_once("`docs/threats.md` ").map_or("", |it| it.1)) {
                    tests.entry(number).or_default().insert(module.clone());
                }
            } else if let Some((_, rest)) = line.split_once("`docs/threats.md` ") {
                cited.extend(numbers(rest));
            } else if let Some((_, rest)) = line.split_once("fn ") {
                let name = rest.split(['(', '<']).next().unwrap_or(rest);
                let mut numbers = std::mem::take(&mut cited);
                numbers.extend(in_name(name));
                for number in numbers {
                    let name = format!("{module}::{name}");
                    tests.entry(number).or_default().insert(name);
                }
            }
        }
    }
    tests
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

/// `it::cookies::csrf` for `tests/it/cookies/csrf.rs`.
fn module(file: &Path) -> String {
    let text = file.with_extension("");
    let parts = text.iter().map(|part| part.to_string_lossy());
    let parts = parts.filter(|part| !["tests", "src", "main", "mod"].contains(&&**part));
    parts.collect::<Vec<_>>().join("::")
}

/// 28, 30 and 31 of `28, 30, 31.`, and 12 to 14 of `12 to 14: the form`.
fn numbers(text: &str) -> Vec<u32> {
    let mut numbers = Vec::<u32>::new();
    let mut is_range = false;
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        let digits = word.trim_end_matches(['.', ':', ';']);
        match (digits.parse(), word) {
            (Ok(number), _) if is_range => {
                numbers.extend(numbers.last().map_or(number, |last| last + 1)..=number);
            }
            (Ok(number), _) => numbers.push(number),
            (Err(_), "and" | "to") => {}
            (Err(_), _) => break,
        }
        is_range = word == "to";
        if word.ends_with(['.', ':', ';']) {
            break;
        }
    }
    numbers
}

/// 28 and 61 of `threats_28_and_61_two_values`.
fn in_name(name: &str) -> Vec<u32> {
    let rest = name.strip_prefix("threat_");
    let Some(rest) = rest.or_else(|| name.strip_prefix("threats_")) else {
        return Vec::new();
    };
    let words = rest.split('_').filter(|&word| word != "and");
    words.map_while(|word| word.parse().ok()).collect()
}

#[test]
fn numbers_are_read_from_names_and_documentation() {
    assert_eq!(numbers("28, 30, 31."), [28, 30, 31]);
    assert_eq!(
        numbers("12 to 14 and 23: the form of 2 tokens"),
        [12, 13, 14, 23]
    );
    assert_eq!(numbers("45: a client hangs up 7 times"), [45]);
    assert_eq!(numbers(""), [0_u32; 0]);
    assert_eq!(in_name("threats_28_and_61_two_values_of_9"), [28, 61]);
    assert_eq!(in_name("a_test_of_28"), [0_u32; 0]);
}
