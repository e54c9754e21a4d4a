use std::process::Command;

use support::folder::Folder;

use crate::program::Program;

const COMMANDS: [&str; 9] = [
    "doctor",
    "keygen",
    "rotate",
    "jwks",
    "mint",
    "inspect",
    "sessions",
    "completions",
    "man",
];

#[test]
fn completions_parse() {
    let folder = Folder::new("completions");
    let program = Program::bare(&folder);
    let script = program.run(&["completions", "bash"]).ends_with(0).out;
    assert!(script.contains("keygen"));
    let path = folder.write("completions.bash", script);
    let status = Command::new("bash").arg("-n").arg(path).status();
    assert!(status.expect("bash").success());
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(
            !program
                .run(&["completions", shell])
                .ends_with(0)
                .out
                .is_empty()
        );
    }
}

#[test]
fn the_manual_and_the_help_name_every_command() {
    let folder = Folder::new("help");
    let program = Program::bare(&folder);
    let manual = program.run(&["man"]).ends_with(0).out;
    let help = program.run(&["--help"]).ends_with(0).out;
    assert!(help.contains("Exit codes: 0 fine, 1 something is wrong, 2 wrong use"));
    for command in COMMANDS {
        assert!(
            manual.contains(command) && help.contains(command),
            "{command}"
        );
        let own = program.run(&[command, "--help"]).ends_with(0);
        assert!(
            own.out.contains("Usage: flask-pyjwt") && own.err.is_empty(),
            "{own:?}"
        );
    }
    program.run(&["--version"]).ends_with(0);
}

#[test]
fn wrong_use_ends_with_2() {
    let folder = Folder::new("usage");
    let program = Program::good(&folder);
    for arguments in [
        &[][..],
        &["unknown"],
        &["keygen", "--alg", "none"],
        &["keygen", "--next", "--sign-now"],
        &["inspect"],
        &["mint"],
        &["sessions"],
        &["completions", "cmd"],
        &["rotate", "--wait", "-1"],
    ] {
        let run = program.run(arguments).ends_with(2);
        assert!(run.out.is_empty(), "{run:?}");
    }
}
