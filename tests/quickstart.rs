//! The first thing that a user does: `cargo run --example quickstart`, then every `curl` line that it
//! prints, then Ctrl-C. Each line has to be answered as the comment at its end promises.

#![cfg(unix)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// Far longer than anything here takes: a server that hangs fails the test, and is ended with it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands after the answer to each line in the shell's output.
const MARK: &str = "@@ the next line";

#[test]
fn every_printed_line_works_as_printed_and_ctrl_c_ends_it() {
    let mut server = Quickstart::start();
    let explanation = server.read_until("Ctrl-C ends it.");
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

    let interrupted = Command::new("sh")
        .args(["-c", "kill -INT \"$1\"", "sh"])
        .arg(server.process.id().to_string())
        .status();
    assert!(interrupted.is_ok_and(|status| status.success()));
    let rest = server.read_to_end();
    assert!(rest.lines().any(|line| line == "stopped"), "{rest}");
    let status = server.process.wait().expect("it has ended");
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

/// The running example, in an empty folder of its own. Both end with the test.
struct Quickstart {
    process: Child,
    lines: Receiver<String>,
    folder: PathBuf,
}

impl Quickstart {
    fn start() -> Self {
        let folder = env::temp_dir().join(format!("flask-pyjwt-quickstart-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let mut process = Command::new(example())
            .current_dir(&folder)
            .env_clear()
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let output = process.stdout.take().expect("it is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            process,
            lines,
            folder,
        }
    }

    fn read_until(&self, last: &str) -> String {
        let mut text = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => text += &(line + "\n"),
                Err(error) => panic!("{error} before {last:?}; it has said:\n{text}"),
            }
            if text.trim_end().ends_with(last) {
                return text;
            }
        }
    }

    fn read_to_end(&self) -> String {
        let mut text = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => text += &(line + "\n"),
                Err(RecvTimeoutError::Disconnected) => return text,
                Err(RecvTimeoutError::Timeout) => panic!("it does not stop; it has said:\n{text}"),
            }
        }
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_dir(&self.folder).ok();
    }
}

/// The example's executable, `target/<profile>/examples/quickstart`. Cargo builds it for a whole `cargo
/// test` and not for one test alone: then it is built here.
fn example() -> PathBuf {
    let test = env::current_exe().expect("a test has an executable");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/test");
    let example = profile.join("examples/quickstart");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart.rs");
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    if changed(&example) < changed(&source) {
        build(profile);
    }
    example
}

fn build(profile: &Path) {
    let name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let features = [
        ("aws-lc-rs", cfg!(feature = "aws-lc-rs")),
        ("rust-crypto", cfg!(feature = "rust-crypto")),
    ];
    let features = features.into_iter().filter(|(_, enabled)| *enabled);
    let features = features.map(|(name, _)| name).collect::<Vec<_>>();
    let cargo = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--example", "quickstart", "--profile", name])
        .args(["--no-default-features", "--features", &features.join(",")])
        .arg("--target-dir")
        .arg(profile.parent().expect("target/<profile>"))
        .status();
    assert!(
        cargo.is_ok_and(|status| status.success()),
        "the example does not compile"
    );
}
