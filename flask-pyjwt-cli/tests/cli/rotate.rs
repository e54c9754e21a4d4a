use std::{
    fs,
    time::{Duration, SystemTime},
};

use support::folder::Folder;

use crate::program::{Program, age, key_file, key_files};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

#[test]
fn the_whole_runbook_is_done_step_by_step() {
    let folder = Folder::new("runbook");
    let program = Program::on_keys(&folder);
    program.run(&["keygen", "--name", "2001-01"]).ends_with(0);
    let old = "2001-01.EdDSA.pem";
    age(&key_file(&folder, old), 90 * DAY);

    let would = program.run(&["rotate", "--dry-run"]).ends_with(0);
    assert!(would.out.contains("Nothing was changed"), "{would:?}");
    assert_eq!(key_files(&folder), [old]);

    let made = program.run(&["rotate"]).ends_with(0);
    assert!(made.out.contains("in 6 hours"), "{made:?}");
    let files = key_files(&folder);
    let next = files[1].clone();
    assert!(next.ends_with(".EdDSA.next.pem"), "{files:?}");
    let kid = |program: &Program<'_>| {
        let token = program.run(&["mint", "alice"]).ends_with(0).out;
        let program = Program::on_keys(&folder).input(token);
        let shown = program.run(&["inspect", "--json", "-"]).ends_with(0).json();
        shown["header"]["kid"]
            .as_str()
            .expect("a key ID")
            .to_owned()
    };
    let old_kid = kid(&program);

    // Too early, then at the time.
    let waits = program.run(&["rotate", "--prune"]).ends_with(0);
    assert!(waits.out.starts_with("Nothing to do: "), "{waits:?}");
    assert_eq!(key_files(&folder), files);
    age(&key_file(&folder, &next), 6 * HOUR + 1);
    let would = program.run(&["rotate", "--dry-run"]).ends_with(0);
    assert!(would.out.contains("Would rename"), "{would:?}");
    assert_eq!(key_files(&folder), files);
    let signs = program.run(&["rotate"]).ends_with(0);
    let new = next.replace(".next", "");
    assert!(
        signs.out.contains(&new) && signs.out.contains("--prune"),
        "{signs:?}"
    );
    assert_eq!(key_files(&folder), [old, &new]);
    assert_ne!(kid(&program), old_kid);

    // The tokens of the old key live for 7 days after it was replaced, and are kept for 6 hours more.
    for (since, is_kept) in [
        (0, true),
        (7 * DAY + 5 * HOUR, true),
        (7 * DAY + 7 * HOUR, false),
    ] {
        age(&key_file(&folder, &new), since);
        let run = program.run(&["rotate", "--prune", "--now"]).ends_with(0);
        assert_eq!(run.out.starts_with("Nothing to do: "), is_kept, "{run:?}");
        assert_eq!(key_file(&folder, old).exists(), is_kept);
    }
    assert_eq!(key_files(&folder), [new.as_str()]);

    // The next rotation is due after 30 days.
    let due = program.run(&["rotate", "--every", "30"]).ends_with(0);
    assert!(due.out.starts_with("Nothing to do: "), "{due:?}");
    age(&key_file(&folder, &new), 31 * DAY);
    program
        .run(&["rotate", "--every", "30", "--alg", "ES256"])
        .ends_with(0);
    assert!(
        key_files(&folder)
            .iter()
            .any(|name| name.ends_with(".ES256.next.pem"))
    );
}

#[test]
fn now_skips_the_wait() {
    let folder = Folder::new("now");
    let program = Program::on_keys(&folder);
    program.run(&["keygen"]).ends_with(0);
    program.run(&["rotate"]).ends_with(0);
    program.run(&["rotate", "--now"]).ends_with(0);
    assert!(key_files(&folder).iter().all(|name| !name.contains("next")));
}

#[test]
fn longer_ages_keep_old_keys_longer() {
    let folder = Folder::new("ages");
    let program = Program::on_keys(&folder);
    program.run(&["keygen", "--name", "a"]).ends_with(0);
    program
        .run(&["keygen", "--name", "b", "--sign-now"])
        .ends_with(0);
    age(&key_file(&folder, "a.EdDSA.pem"), 90 * DAY);
    age(&key_file(&folder, "b.EdDSA.pem"), 10 * DAY);
    for name in ["JWT_AUTHMAXAGE", "JWT_REFRESHMAXAGE", "JWT_SESSIONIDLE"] {
        let program = Program::on_keys(&folder).with(&[(name, "1_000_000")]);
        let run = program.run(&["rotate", "--prune"]).ends_with(0);
        assert!(run.out.starts_with("Nothing to do: "), "{name}: {run:?}");
    }
    program
        .run(&["rotate", "--prune", "--dry-run"])
        .ends_with(0);
    assert_eq!(key_files(&folder).len(), 2);
    let run = program.run(&["rotate", "--prune"]).ends_with(0);
    assert!(run.out.contains("Deleted `a.EdDSA.pem`"), "{run:?}");
}

#[test]
fn folders_without_a_clear_next_step_are_refused() {
    let folder = Folder::new("unclear");
    let program = Program::on_keys(&folder);
    program.run(&["rotate"]).ends_with(1);
    Program::bare(&folder).run(&["rotate"]).ends_with(2);
    fs::create_dir(folder.file("keys")).expect("a folder");
    let run = program.run(&["rotate"]).ends_with(1);
    assert!(run.err.contains("keygen"), "{run:?}");

    program.run(&["keygen", "--name", "a"]).ends_with(0);
    program
        .run(&["keygen", "--name", "b", "--next"])
        .ends_with(0);
    // A file of the name that the next key would get.
    program
        .run(&["keygen", "--name", "b", "--sign-now"])
        .ends_with(0);
    let run = program.run(&["rotate", "--now"]).ends_with(1);
    assert!(run.err.contains("not overwritten"), "{run:?}");
    // Not with `keygen`, which makes one next key.
    let twice = program
        .run(&["keygen", "--name", "c", "--next"])
        .ends_with(1);
    assert!(twice.err.contains("`b.EdDSA.next.pem`"), "{twice:?}");
    program
        .run(&["keygen", "--name", "c", "--next", "--dir", "other"])
        .ends_with(0);
    let name = "c.EdDSA.next.pem";
    fs::rename(
        folder.file("other").join(name),
        folder.file("keys").join(name),
    )
    .expect("moved");
    let run = program.run(&["rotate", "--now"]).ends_with(1);
    assert!(run.err.contains("several next keys"), "{run:?}");
    assert_eq!(key_files(&folder).len(), 4);
}

#[test]
fn times_out_of_range_are_no_panic() {
    let folder = Folder::new("range");
    let program = Program::on_keys(&folder);
    program.run(&["keygen", "--name", "a"]).ends_with(0);
    for arguments in [
        ["--every", "3000000"],
        ["--every", "36501"],
        ["--wait", "4000000000"],
    ] {
        let run = program.run(&[&["rotate", "--dry-run"], &arguments[..]].concat());
        assert_eq!(run.code, 2, "{run:?}");
    }
    for arguments in [["--every", "36500"], ["--wait", "315576000"]] {
        program
            .run(&[&["rotate", "--dry-run", "--prune"], &arguments[..]].concat())
            .ends_with(0);
    }
    // Far in the future, if the file system has such times.
    let far = SystemTime::now() + Duration::from_secs(300_000 * 366 * DAY);
    let file = fs::File::open(key_file(&folder, "a.EdDSA.pem")).expect("a key");
    if file.set_modified(far).is_ok() {
        program
            .run(&["rotate", "--every", "36500", "--dry-run"])
            .ends_with(0);
    }
}

#[test]
fn wishes_that_the_next_key_does_not_meet_are_refused() {
    let folder = Folder::new("wishes");
    let program = Program::on_keys(&folder);
    program.run(&["keygen"]).ends_with(0);
    // The same without a next key: nothing is promised that the real run refuses.
    for dry_run in [&["--dry-run"][..], &[]] {
        let rotate = |arguments: &[&str]| program.run(&[&["rotate"], dry_run, arguments].concat());
        rotate(&["--bits", "2048"]).ends_with(2);
        rotate(&["--alg", "RS256", "--bits", "1024"]).ends_with(2);
    }
    program
        .run(&["rotate", "--alg", "RS256", "--bits", "2048"])
        .ends_with(0);
    for dry_run in [&["--dry-run"][..], &[]] {
        for arguments in [
            &["--alg", "ES256"][..],
            &["--bits", "4096"],
            &["--alg", "RS256", "--bits", "3072", "--now"],
        ] {
            let run = program
                .run(&[&["rotate"], dry_run, arguments].concat())
                .ends_with(1);
            assert!(run.err.contains("delete the file"), "{run:?}");
        }
    }
    program
        .run(&["rotate", "--alg", "RS256", "--bits", "2048", "--now"])
        .ends_with(0);
    for arguments in [&["--alg", "EdDSA"][..], &[]] {
        program.run(&[&["rotate"], arguments].concat()).ends_with(0);
    }
}
