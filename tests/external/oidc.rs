//! The certified `oidc-provider` of the npm registry, run with Node.js: discovery, its key set, JWT access
//! tokens and key rotation.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Issuer, TokenError, require_token, testing::FrozenClock,
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use support::{SECRET, manager, site::Site};

/// A running provider, which stops when it is dropped.
struct Provider {
    process: Child,
    commands: ChildStdin,
    lines: BufReader<ChildStdout>,
    port: u16,
}

impl Provider {
    /// Returns `None` and prints why if it cannot be run. With `CI=true` it panics.
    fn start(algorithm: &str) -> Option<Self> {
        let folder = match installed() {
            Ok(folder) => folder,
            Err(reason) => {
                let ci = env::var_os("CI").is_some_and(|value| value == "true");
                assert!(!ci, "oidc-provider cannot be run: {reason}");
                println!("skipped, oidc-provider cannot be run: {reason}");
                return None;
            }
        };
        let mut process = Command::new("node")
            .arg(folder.join("provider.mjs"))
            .arg(algorithm)
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
    fn command(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("it is running");
        self.line()
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Gets an access token with the grant `client_credentials`.
    fn token(&self, scope: &str) -> String {
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

/// The folder under `target` with the packages of tests/external/oidc/package-lock.json, installed on first use.
fn installed() -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("external/oidc");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc-provider");
    let text_of = |error: std::io::Error| error.to_string();
    fs::create_dir_all(&folder).map_err(text_of)?;
    // Tests run concurrently, in threads or processes: one installs it, and the others wait.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(text_of)?;
    lock.lock().map_err(text_of)?;
    let wanted = fs::read_to_string(source.join("package-lock.json")).map_err(text_of)?;
    for file in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(source.join(file), folder.join(file)).map_err(text_of)?;
    }
    let made = folder.join("made-of.json");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if !npm.status.success() {
        return Err(String::from_utf8_lossy(&npm.stderr).into_owned());
    }
    fs::write(made, wanted).map_err(text_of)?;
    Ok(folder)
}

#[require_token(scope = contains("read"))]
#[get("/read")]
async fn read() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(scope = all("read", "write"))]
#[get("/write")]
async fn write() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn trusting(provider: &Provider, audience: &str) -> (AuthManager, FrozenClock) {
    let clock = FrozenClock::new(OffsetDateTime::now_utc() + Duration::SECOND);
    let issuer = Issuer::new(provider.issuer())
        .discovery()
        .allow_http_on_loopback(true)
        .types(["at+jwt"])
        .audience(audience);
    let config = Config::new("own", AuthType::HS256, SECRET);
    let config = config.clock(clock.clone()).trust(issuer);
    (manager(config), clock)
}

#[actix_web::test]
async fn its_access_tokens_are_accepted_across_key_rotations() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let Some(mut provider) = Provider::start(algorithm) else {
            return;
        };
        let (auth, clock) = trusting(&provider, "https://api.example");
        let states = auth.fetch_keys().await;
        assert_eq!(states[0].error(), None, "{algorithm}");

        let token = provider.token("read");
        let verified = auth.verify_token_async(&token).await.expect(algorithm);
        assert_eq!(verified.alg().name(), algorithm);
        assert_eq!(verified.iss(), provider.issuer());
        assert_eq!(verified.header()["typ"], "at+jwt");
        assert_eq!(verified.scope(), Some(&"read".into()));
        assert_eq!(verified.claims()["client_id"], "service");

        let data = auth.clone();
        let site = Site::new(|app| {
            app.app_data(web::Data::new(data))
                .service(read)
                .service(write);
        })
        .await;
        let both = provider.token("read%20write");
        for (path, token, status) in [
            ("/read", &token, 200),
            ("/write", &token, 403),
            ("/read", &both, 200),
            ("/write", &both, 200),
        ] {
            assert_eq!(
                site.get(path, token).await.status,
                status,
                "{algorithm} {path}"
            );
        }
        let challenge = site.get("/write", &token).await;
        assert!(
            challenge
                .field("www-authenticate")
                .ends_with(r#"scope="write""#)
        );

        // The first token of the new, unknown key causes a fetch.
        clock.advance(Duration::seconds(10));
        let id = provider.command("rotate");
        let next = provider.token("read");
        let verified = auth.verify_token_async(&next).await.expect(algorithm);
        assert_eq!(verified.header()["kid"], *id);
        assert_eq!(site.get("/read", &token).await.status, 200, "{algorithm}");

        // The old key is dropped: its tokens are refused once that is known.
        provider.command("drop");
        assert_eq!(auth.fetch_keys().await[0].key_ids(), [id]);
        let refused = auth.verify_token_async(&token).await.map(drop);
        assert_eq!(refused, Err(TokenError::UnknownKey), "{algorithm}");
        assert_eq!(site.get("/read", &next).await.status, 200, "{algorithm}");

        let (other, _) = trusting(&provider, "https://another.example");
        let refused = other.verify_token_async(&next).await.map(drop);
        assert_eq!(refused, Err(TokenError::Audience), "{algorithm}");
    }
}
