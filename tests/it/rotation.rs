//! `examples/issuer.rs` and `examples/resource.rs`, as a user runs them: keys are rotated while a client sends
//! requests, and no request fails.
#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;
use support::example::executable;

/// A running example, which stops when it is dropped.
struct Example {
    process: Child,
    port: u16,
}

impl Example {
    fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(executable(name))
            .env_clear()
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let output = process.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(output).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, after) = line
                    .strip_prefix("Listening on ")?
                    .split_once("127.0.0.1:")?;
                let digits = after.find(|c: char| !c.is_ascii_digit())?;
                after[..digits].parse().ok()
            })
            .expect("it prints its port");
        // Discards its later output, so that it does not wait for a reader.
        thread::spawn(move || lines.for_each(drop));
        Self { process, port }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Sends one request over a socket. Returns the status and the JSON of the response.
fn exchange(port: u16, head: &str, form: &str) -> (u16, Value) {
    let send = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let length = form.len();
        write!(
            stream,
            "{head}Host: localhost\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = send().expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (
        status.expect("a status"),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

fn post(port: u16, path: &str, form: &str) -> Value {
    let (status, body) = exchange(port, &format!("POST {path} HTTP/1.1\r\n"), form);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

fn get(port: u16, path: &str, token: Option<&str>) -> (u16, Value) {
    let field = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let head = format!("GET {path} HTTP/1.1\r\n{}", field.unwrap_or_default());
    exchange(port, &head, "")
}

fn login(port: u16) -> String {
    let answer = post(port, "/login", "username=alice&password=wonderland");
    answer["auth_token"].as_str().expect("a token").to_owned()
}

#[test]
fn no_request_fails_while_keys_are_rotated() {
    // Three keys are published ahead. The fourth rotation waits until verifiers can know its key.
    for (auth_type, rotations) in [("EdDSA", 4), ("ES256", 3)] {
        let issuer = Example::start("issuer", &[("AUTHTYPE", auth_type)]);
        let url = format!("http://127.0.0.1:{}", issuer.port);
        let resource = Example::start("resource", &[("ISSUER_URL", &url)]);
        let ask = |token: &str| get(resource.port, "/protected", Some(token));
        let first = login(issuer.port);
        let over = AtomicBool::new(false);
        let mut kids = thread::scope(|scope| {
            let client = scope.spawn(|| {
                let mut kids = Vec::new();
                while !over.load(Ordering::Acquire) {
                    for token in [&login(issuer.port), &first] {
                        let (status, body) = ask(token);
                        assert_eq!(status, 200, "{auth_type}: {body}");
                        kids.push(body["kid"].to_string());
                    }
                }
                kids
            });
            for _ in 0..rotations {
                post(issuer.port, "/rotate", "");
                assert_eq!(ask(&login(issuer.port)).0, 200);
            }
            over.store(true, Ordering::Release);
            client.join().expect("every request was answered with 200")
        });
        kids.sort();
        kids.dedup();
        assert!(kids.len() > 1, "{kids:?}");
        assert_eq!(get(resource.port, "/protected", None).0, 401);
        assert_eq!(ask("a.b.c").0, 401);
        assert_eq!(get(resource.port, "/ready", None).0, 200);
    }
}
