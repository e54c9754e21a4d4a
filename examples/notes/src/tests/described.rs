//! The description of the interface is valid, and no answer disagrees with it. Judged by `openapi-spec-validator` and
//! `schemathesis`, which send requests of every kind to the server.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use actix_web::{
    HttpServer, rt,
    test::{self, TestRequest},
    web,
};

use super::{PASSWORD, temporary_folder};
use crate::app::{self, State};

/// What pip installs, under `target`.
const PACKAGES: [&str; 2] = ["openapi-spec-validator==0.9.0", "schemathesis==4.32.5"];
/// A guard answers 400 to two credentials, which are valid by the description: it cannot say "not both". And actix-web
/// answers 404 to a method that a path does not have.
const LEFT_OUT: &str = "positive_data_acceptance,unsupported_method";

/// Runs a program of the virtual environment, and panics with its output if it finds something.
fn run(program: &Path, arguments: &[&str]) {
    // The programs keep files where they run: below `target`.
    let test = env::current_exe().expect("a test has an executable");
    let folder = test.parent().expect("target/<profile>/deps");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
}

/// The folder with the programs. The first run makes it.
fn programs() -> PathBuf {
    let test = env::current_exe().expect("a test has an executable");
    let target = test.ancestors().nth(3).expect("target/<profile>/deps/test");
    let folder = target.join("tools/openapi");
    fs::create_dir_all(&folder).expect("the target folder can be written to");
    let lock = fs::File::create(folder.with_extension("lock")).expect("a lock");
    lock.lock().expect("the file system has locks");
    let made = folder.join("made-of.txt");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return folder.join("bin");
    }
    println!("making {}", folder.display());
    let at = folder.to_string_lossy();
    run(Path::new("python3"), &["-m", "venv", "--clear", &at]);
    let quietly = ["--disable-pip-version-check", "--no-input", "-q", "install"];
    run(&folder.join("bin/pip"), &[&quietly[..], &PACKAGES].concat());
    fs::write(made, wanted).expect("the folder can be written to");
    folder.join("bin")
}

#[actix_web::test]
async fn no_answer_disagrees_with_the_description() {
    let folder = temporary_folder();
    let path = folder.path().join("notes.db");
    let state = State::open_with(&path, super::config())
        .await
        .expect("a new database");
    let shared = state.clone();
    let server = HttpServer::new(move || app::create(&shared))
        .workers(2)
        .bind(("127.0.0.1", 0))
        .expect("a free port");
    let url = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);

    // The first account is the admin's.
    let pair = |name: &str| {
        let login = state.auth.login(name.to_owned());
        async move { login.await.expect("a session") }
    };
    let hash = "$argon2id$v=19$m=16,t=2,p=1$c29tZXNhbHQ$aaaaaaaaaaaaaaaaaaaaaQ";
    let mut tokens = Vec::new();
    for name in ["alice", "bob"] {
        let account = crate::accounts::create(&state.database, name, hash)
            .await
            .expect(PASSWORD);
        let login = state.auth.login(name).claim("account", &account.id);
        let login = if account.admin {
            login
                .scope(serde_json::json!({"admin": true}))
                .claim("admin", true)
        } else {
            login
        };
        tokens.push(login.await.expect("a session").auth.signed().to_owned());
    }
    let refresh = pair("alice").await.refresh.signed().to_owned();
    let document = folder.path().join("openapi.json");
    let own = test::init_service(app::create(&state)).await;
    let request = TestRequest::with_uri("/openapi.json").to_request();
    let text = test::call_and_read_body(&own, request).await;
    fs::write(&document, text).expect("the folder can be written to");
    let work = web::block(move || {
        let programs = programs();
        run(
            &programs.join("openapi-spec-validator"),
            &[&document.to_string_lossy()],
        );
        let schemathesis = programs.join("schemathesis");
        let run_as = |token: &str, more: &[&str]| {
            let description = format!("{url}/openapi.json");
            let field = format!("Authorization: Bearer {token}");
            let mut arguments = vec!["run", &description, "--checks", "all"];
            arguments.extend(["--exclude-checks", LEFT_OUT, "--seed", "1", "--no-color"]);
            arguments.extend([
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "8",
            ]);
            if !token.is_empty() {
                arguments.extend(["-H", &field]);
            }
            arguments.extend(more);
            run(&schemathesis, &arguments);
        };
        for token in &tokens {
            run_as(
                token,
                &["--exclude-path", "/logout", "--exclude-path", "/refresh"],
            );
        }
        run_as("", &[]);
        run_as(&refresh, &["--include-path", "/refresh"]);
        // It ends the session, so that it comes last.
        run_as(&tokens[1], &["--include-path", "/logout"]);
    });
    work.await.expect("the thread has ended well");
    handle.stop(false).await;
}
