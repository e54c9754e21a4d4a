//! Runs `curl` lines from pages and programs, as a user would. Most of them state the expected status in a
//! comment at their end: `# 200`, or `# 401: no token`.

use std::{env, fs, process::Command};

use support::folder::Folder;

/// Printed after the status of each line.
const MARK: &str = "@@ the next line";

/// Asserts that each line gets the status in its comment. Returns these statuses.
#[track_caller]
pub(crate) fn assert_kept(what: &str, lines: &[String]) -> Vec<Option<String>> {
    let promised = lines.iter().map(|line| promised_status(line));
    let promised = promised.collect::<Vec<_>>();
    let answered = run(what, lines);
    for ((line, promised), answered) in lines.iter().zip(&promised).zip(&answered) {
        assert!(
            promised.is_none() || promised == answered,
            "{what}: {answered:?} is the answer to\n{line}\n\n{}",
            lines.join("\n")
        );
    }
    promised
}

/// The comment at the end of a line, or `None` for a line that only sets a variable.
fn promised_status(line: &str) -> Option<String> {
    let digits = |comment: &str| comment.chars().take_while(char::is_ascii_digit).collect();
    let status: Option<String> = line.rsplit_once(" # ").map(|(_, comment)| digits(comment));
    assert!(
        status.as_ref().is_some_and(|status| status.len() == 3) || !line.starts_with("curl "),
        "no status is promised: {line}"
    );
    status
}

/// Runs the lines in one shell, and returns the last status of each.
fn run(what: &str, lines: &[String]) -> Vec<Option<String>> {
    // Proxies and the user's own settings are ignored, and each status is separated from the output of the line.
    let home = Folder::new("curl");
    let settings = "write-out = \"%{stderr}\\nstatus %{http_code}\\n\"\nmax-time = 30\n";
    fs::write(home.path().join(".curlrc"), settings).expect("a file");
    let marked = lines
        .iter()
        .map(|line| format!("{line}\necho '{MARK}' >&2\n"));
    let shell = Command::new("sh")
        .args(["-e", "-c", &marked.collect::<String>()])
        .current_dir(home.path())
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("CURL_HOME", home.path())
        .output()
        .expect("a shell");
    let printed = String::from_utf8_lossy(&shell.stderr);
    assert!(
        shell.status.success(),
        "{what}: a line fails (is curl installed?):\n{}\n{printed}",
        String::from_utf8_lossy(&shell.stdout)
    );
    let status = |printed: &str| {
        let status = printed
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("status "));
        status.map(str::to_owned)
    };
    printed.split(MARK).take(lines.len()).map(status).collect()
}
