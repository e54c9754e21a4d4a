//! The first thing that a user does: `cargo run --example quickstart`, then every `curl` line that it
//! prints, then Ctrl-C. Each line has to be answered as the comment at its end promises.

#![cfg(unix)]

use std::{env, process::Command};

use support::example::Example;

/// Stands after the answer to each line in the shell's output.
const MARK: &str = "@@ the next line";

#[test]
fn every_printed_line_works_as_printed_and_ctrl_c_ends_it() {
    let mut server = Example::start("quickstart", &[]);
    let explanation = server.process.read_until("Ctrl-C ends it.");
    assert!(
        explanation.contains("JWT_SECRET is not set"),
        "it starts without any set-up:\n{explanation}"
    );

    let lines = explanation
        .lines()
        .filter(|line| line.contains("curl "))
        .collect::<Vec<_>>();
    let promised = lines
        .iter()
        .map(|line| promised_status(line))
        .collect::<Vec<_>>();
    assert_eq!(run(&lines), promised, "{}", lines.join("\n"));

    // What the seed's Quickstart shows is all there, and is refused and let in.
    for route in [
        "/login",
        "/protected_route",
        "/user_specific_route/alice",
        "/admin_dashboard",
        "/custom_claim_route",
        "/overridable_route/alice",
        "/token/info",
        "/refresh",
    ] {
        assert!(lines.iter().any(|line| line.contains(route)), "{route}");
    }
    for status in ["200", "401", "403"] {
        let status = Some(status.to_owned());
        assert!(promised.contains(&status), "{status:?}");
    }

    server.process.interrupt();
    let rest = server.process.read_to_end();
    assert!(rest.lines().any(|line| line == "stopped"), "{rest}");
    let status = server.process.wait();
    assert!(status.success(), "{status}");
}

/// What the comment at the end of a line says; nothing for one that only fills a variable.
fn promised_status(line: &str) -> Option<String> {
    let (command, comment) = line.rsplit_once(" # ").unzip();
    if command.is_none() {
        assert!(line.contains("=$(curl "), "no status is promised: {line}");
    }
    comment.map(|comment| comment.chars().take_while(char::is_ascii_digit).collect())
}

/// Runs the lines in one shell, as a user would, and takes the status of each answer.
fn run(lines: &[&str]) -> Vec<Option<String>> {
    let marked = lines.iter().map(|line| format!("{line}\necho '{MARK}'\n"));
    let shell = Command::new("sh")
        .args(["-e", "-c", &marked.collect::<String>()])
        .env_clear() // neither a proxy nor a ~/.curlrc
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .output()
        .expect("there is a shell");
    let output = String::from_utf8_lossy(&shell.stdout);
    assert!(
        shell.status.success(),
        "a line fails (is curl installed?):\n{output}\n{}",
        String::from_utf8_lossy(&shell.stderr)
    );
    let status = |answer: &str| {
        let (_, after) = answer.rsplit_once("HTTP/1.1 ")?;
        after.split_whitespace().next().map(str::to_owned)
    };
    output.split(MARK).take(lines.len()).map(status).collect()
}
