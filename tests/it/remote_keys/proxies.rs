//! Keys that are fetched through a proxy: a real one, which tunnels on `CONNECT`.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};
use support::folder::Folder;

use flask_pyjwt::Issuer;

use super::{
    PATH,
    reach::{error_of, refused},
    tls,
};

/// A proxy that records its requests and connects to any address.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                thread::spawn(move || tunnel(client, &noted).ok());
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("not poisoned").clone()
    }
}

fn tunnel(mut client: TcpStream, noted: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        head += &line;
    }
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    noted.lock().expect("not poisoned").push(head);
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Both).ok();
    });
    io::copy(&mut reader, &mut server).ok();
    server.shutdown(Shutdown::Both).ok();
    back.join().ok();
    Ok(())
}

#[actix_web::test]
async fn keys_are_fetched_through_the_configured_proxy_and_its_password_is_not_shown() {
    let folder = Folder::new("jwks-proxy");
    let server = tls::server(folder.path());
    let proxy = Proxy::start();
    let authority = std::fs::read(folder.path().join("ca.crt")).expect("read");
    let issuer = || {
        Issuer::new("https://sso.example")
            .jwks_url(server.https_url("localhost", PATH))
            .root_certificates(&authority)
    };
    let by = |address: SocketAddr| issuer().proxy(format!("http://user:pass-secret@{address}"));
    assert!(!format!("{:?}", by(proxy.address)).contains("secret"));
    assert_eq!(error_of(by(proxy.address)).await, None);
    let head = proxy.heads().pop().expect("asked");
    assert!(head.starts_with("CONNECT localhost:"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("proxy-authorization: basic "), "{head}");

    // Without the option, no proxy is used.
    assert_eq!(error_of(issuer()).await, None);
    assert_eq!(proxy.heads().len(), 1);

    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = gone.local_addr().expect("it is bound");
    drop(gone);
    let error = error_of(by(address)).await.expect("there is no proxy");
    assert!(error.contains("cannot be reached"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

/// Runs in a separate process with these variables: the test below starts it.
#[actix_web::test]
async fn child_that_fetches_with_its_variables() {
    let (Ok(url), Ok(authority)) = (std::env::var("CHILD_URL"), std::env::var("CHILD_CA")) else {
        return;
    };
    let issuer = Issuer::new("https://sso.example")
        .jwks_url(url)
        .root_certificates(std::fs::read(authority).expect("read"));
    for by_environment in [false, true] {
        let error = error_of(issuer.clone().proxy_from_env(by_environment)).await;
        assert_eq!(error, None, "{by_environment}");
    }
}

#[test]
fn proxies_of_the_environment_are_used_if_configured() {
    let folder = Folder::new("jwks-proxy-env");
    let server = tls::server(folder.path());
    let proxy = Proxy::start();
    let address = format!("http://{}", proxy.address);
    let nowhere = "localhost".to_owned();
    for (variables, asked) in [
        (vec![("HTTPS_PROXY", &address)], 1),
        (vec![("HTTPS_PROXY", &address), ("NO_PROXY", &nowhere)], 0),
    ] {
        let before = proxy.heads().len();
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child.args([
            "--exact",
            "remote_keys::proxies::child_that_fetches_with_its_variables",
        ]);
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
            child.env_remove(name).env_remove(name.to_ascii_lowercase());
        }
        child
            .env("CHILD_URL", server.https_url("localhost", PATH))
            .env("CHILD_CA", folder.path().join("ca.crt"))
            .envs(variables);
        let output = child.output().expect("it runs");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{stdout}");
        assert!(stdout.contains("1 passed"), "{stdout}");
        assert_eq!(proxy.heads().len() - before, asked, "{stdout}");
    }
}

/// Runs in a separate process: the test below starts it.
#[test]
fn child_that_refuses_its_variables() {
    if std::env::var_os("CHILD_REFUSES").is_some() {
        let issuer = Issuer::new("https://sso.example").jwks_url("https://sso.example/keys");
        let error = refused(issuer.proxy_from_env(true));
        assert!(error.contains("`HTTPS_PROXY`, `HTTP_PROXY`"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn an_invalid_proxy_variable_is_refused_at_startup() {
    for (name, value) in [
        ("HTTPS_PROXY", "ftp://secret:1"),
        ("https_proxy", "secret proxy"),
        ("HTTP_PROXY", "htp://secret:1"),
        ("ALL_PROXY", "//"),
    ] {
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        let output = child
            .args([
                "--exact",
                "remote_keys::proxies::child_that_refuses_its_variables",
            ])
            .env("CHILD_REFUSES", "1")
            .env(name, value)
            .output()
            .expect("it runs");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {stdout}");
        assert!(stdout.contains("1 passed"), "{name}: {stdout}");
    }
}
