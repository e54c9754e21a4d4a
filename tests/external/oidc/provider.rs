//! A provider in a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use flask_pyjwt::{IntrospectionClient, Issuer};
use serde_json::Value;

use crate::npm;

/// The secret of its clients `service` and `api`.
pub(super) const CLIENT_SECRET: &str = "a secret of the client, of many bytes";
/// The resource whose tokens are opaque.
pub(super) const OPAQUE: &str = "https://opaque.example";

/// A running provider, which stops when it is dropped.
pub(super) struct Provider {
    process: Child,
    commands: ChildStdin,
    lines: BufReader<ChildStdout>,
    port: u16,
}

impl Provider {
    /// Returns `None` and prints why if it cannot be run. With `CI=true` it panics.
    pub(super) fn start(arguments: &[&str]) -> Option<Self> {
        let folder = npm::installed("oidc", "oidc-provider")?;
        let mut process = Command::new("node")
            .arg(folder.join("provider.mjs"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts");
        let commands = process.stdin.take().expect("it is piped");
        let lines = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut provider = Self {
            process,
            commands,
            lines,
            port: 0,
        };
        provider.port = provider.line().parse().expect("it prints its port");
        Some(provider)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it is running");
        line.trim().to_owned()
    }

    /// Sends a command, and returns the ID of the current signing key.
    pub(super) fn command(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("it is running");
        self.line()
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// This provider as an issuer that the client `api` asks about its tokens.
    pub(super) fn asked(&self, audience: &str) -> Issuer {
        let url = format!("{}/token/introspection", self.issuer());
        Issuer::new(self.issuer())
            .introspection(url, IntrospectionClient::basic("api", CLIENT_SECRET))
            .allow_http_on_loopback(true)
            .audience(audience)
            // It names no user if there is none (`client_credentials`).
            .map_claim("sub", ["sub", "client_id"])
    }

    /// Gets an access token with the grant `client_credentials`.
    pub(super) fn token(&self, scope: &str) -> String {
        let form = format!("grant_type=client_credentials&scope={scope}");
        let client =
            "c2VydmljZTphJTIwc2VjcmV0JTIwb2YlMjB0aGUlMjBjbGllbnQlMkMlMjBvZiUyMG1hbnklMjBieXRlcw==";
        let length = form.len();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        write!(
            stream,
            "POST /token HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nAuthorization: Basic {client}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}",
            self.port
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let token = body["access_token"].as_str();
        token
            .unwrap_or_else(|| panic!("no token: {answer}"))
            .to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
