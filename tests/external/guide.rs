//! The guide and the README, as a reader uses them: each page's program is started, and each `curl` line of the page must get the
//! status in the comment at its end.

#![cfg(unix)]

use std::{collections::BTreeSet, fs, process::Command};

use support::{
    example::{guide, repository},
    folder::Folder,
    process::Process,
};

use crate::curl;

const README: &str = "README";

/// Pages without a program, with the reason.
const WITHOUT_PROGRAM: &[(&str, &str)] = &[
    ("introduction", "it describes the package"),
    ("command_line", "it is about a program that serves nothing"),
];

#[test]
fn every_program_runs_and_answers_as_its_page_promises() {
    let programs = programs();
    for page in pages() {
        if let Some((_, why)) = WITHOUT_PROGRAM.iter().find(|(name, _)| *name == page) {
            assert!(!programs.contains(&page), "{page} has a program: {why}");
            continue;
        }
        assert!(
            programs.contains(&page),
            "{page}.md begins with no program that binds (\"127.0.0.1\", 8080)"
        );
        let folder = if page == README { "" } else { "docs/guide/" };
        let path = repository().join(format!("{folder}{page}.md"));
        let text = fs::read_to_string(path).expect("a page");

        let folder = Folder::new("guide");
        let server = Process::start(
            Command::new(guide())
                .arg(&page)
                .current_dir(folder.path())
                .env_clear()
                .env("NO_COLOR", "1"),
        );
        let output = server.read_until("Listening on http://");
        let address = output.trim().rsplit("http://").next().unwrap_or_default();
        let lines = shell_lines(&text);
        let lines = lines.map(|line| line.replace("127.0.0.1:8080", address));
        let promised = curl::assert_kept(&page, &lines.collect::<Vec<_>>());
        assert!(
            promised.iter().flatten().count() > 0,
            "{page}.md shows no request to its program"
        );
        for event in shown_events(&text) {
            server.read_until(event);
        }
    }
}

/// The pages that have a program.
fn programs() -> BTreeSet<String> {
    let output = Command::new(guide()).output().expect("it starts");
    let names = String::from_utf8(output.stdout).expect("names");
    names.lines().map(str::to_owned).collect()
}

/// The README and the pages of the book, by their paths without `.md`.
fn pages() -> Vec<String> {
    let summary = repository().join("docs/guide/SUMMARY.md");
    let summary = fs::read_to_string(summary).expect("the table of contents");
    let links = summary.lines().filter_map(|line| line.split_once("]("));
    let pages = links.filter_map(|(_, link)| link.strip_suffix(".md)"));
    std::iter::once(README)
        .chain(pages)
        .map(str::to_owned)
        .collect()
}

/// The log events of refusals that a page shows, in the order in which its program has to print them.
fn shown_events(page: &str) -> impl Iterator<Item = &str> {
    page.lines()
        .filter(|line| line.starts_with(" INFO flask_pyjwt::refused: "))
}

/// The shell commands of a page that belong to its program: the blocks that send requests to it.
fn shell_lines(page: &str) -> impl Iterator<Item = &str> {
    let blocks = page.split("\n```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let blocks = blocks.filter(|block| block.contains("127.0.0.1:8080"));
    blocks
        .flat_map(str::lines)
        .filter(|line| !line.trim().is_empty())
}
