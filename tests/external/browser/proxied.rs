//! The example behind a real nginx with common configurations, which differ in the field that contains the host
//! that the browser has requested.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{
    cross_site::{OPEN_A_SOCKET, elsewhere, origins},
    page::{Page, with_page},
};
use support::{folder::Folder, process::Process};

/// An nginx that stops when it is dropped.
struct Proxy {
    port: u16,
    // Stopped before its folder is removed.
    process: Process,
    _folder: Folder,
}

impl Proxy {
    /// Starts it in front of a server, with these lines in its configuration. Returns `None` if there is no
    /// nginx. With `CI=true` it panics.
    fn before(server: &str, lines: &str) -> Option<Self> {
        let program = installed("nginx")?;
        let folder = Folder::new("nginx");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        let at = folder.path().display();
        let configuration = format!(
            r"daemon off; master_process off; pid {at}/pid; error_log /dev/stdout notice;
            events {{}}
            http {{
                log_format sent '$request_method $uri host=$http_host origin=$http_origin '
                    'site=$http_sec_fetch_site $status';
                access_log /dev/stdout sent;
                client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
                fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass {server};
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $http_connection;
                        {lines}
                    }}
                }}
            }}"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).expect("the file is written");
        drop(free);
        let process = Process::start(
            Command::new(program)
                .args(["-e", "/dev/stdout", "-p"])
                .arg(folder.path())
                .arg("-c")
                .arg(&file)
                .stderr(Stdio::null()),
        );
        // It is listening by then.
        process.read_until("event method");
        Some(Self {
            port,
            process,
            _folder: folder,
        })
    }

    /// The header fields that the browser sent with the next request to this address.
    fn sent(&self, request: &str) -> String {
        let output = self.process.read_until(request);
        output.lines().last().unwrap_or_default().to_owned()
    }
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|program| program.is_file());
    let ci = env::var_os("CI").is_some_and(|value| value == "true");
    assert!(found.is_some() || !ci, "{program} is not installed");
    if found.is_none() {
        println!("skipped, {program} is not installed");
    }
    found
}

/// Whatever the proxy leaves of the host, a page of another origin changes nothing and opens no WebSocket. The
/// server's own page can open one if the proxy keeps the port, or if the browser sends `Sec-Fetch-Site`.
/// Chromium 156 does not send it with a WebSocket handshake, only `Origin`. It sends it with every other
/// request.
///
/// `docs/threats.md` 60.
#[actix_web::test]
async fn behind_a_proxy_the_own_page_works_and_pages_of_other_origins_are_refused() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        let neighbours = elsewhere();
        for (lines, has_port) in [
            ("proxy_set_header Host $http_host;", true),
            ("proxy_set_header Host $host;", false),
            (
                "proxy_set_header Host $host; proxy_set_header X-Forwarded-Port $server_port;",
                true,
            ),
            // The name of the server behind the proxy.
            ("proxy_set_header X-Forwarded-Host $http_host;", true),
            (r#"proxy_set_header Forwarded 'host="$http_host"';"#, true),
            ("", false),
        ] {
            let Some(proxy) = Proxy::before(&page.url, lines) else {
                return;
            };
            let own = format!("http://127.0.0.1:{}", proxy.port);
            let socket = format!("ws://127.0.0.1:{}", proxy.port);

            // Cookies do not depend on the port: the browser is logged in.
            page.goto(&own).await;
            page.shows("#name", "alice").await;
            assert_eq!(page.status("POST", "/renew").await, 204, "{lines}");
            let sent = proxy.sent("POST /renew");
            assert!(sent.contains("site=same-origin"), "{sent}");
            let opened = page.run_with(OPEN_A_SOCKET, socket.as_str()).await;
            let sent = proxy.sent("GET /ws");
            assert!(sent.contains(&format!("origin={own} ")), "{sent}");
            let is_in = has_port || sent.contains("site=same-origin");
            let expected = if is_in { "message" } else { "error" };
            assert_eq!(opened, expected, "{lines}: {sent}");
            if !is_in {
                // The log has the reason for the operator.
                let origin = format!(" origin={own:?}");
                let logged = page.server.process.read_until(&origin);
                let logged = logged.lines().last().unwrap_or_default();
                assert!(logged.contains("reason=\"cross_site\""), "{logged}");
                assert!(logged.contains("own_origin=\"http://127.0.0.1"), "{logged}");
            }

            for (origin, _) in origins(&neighbours) {
                page.goto(&origin).await;
                let opened = page.run_with(OPEN_A_SOCKET, socket.as_str()).await;
                assert_eq!(opened, "error", "{lines} {origin}");
                let renewed = page.run_with(SEND_BLINDLY, format!("{own}/renew")).await;
                assert_eq!(renewed, "opaque", "{origin}");
                let sent = proxy.sent("POST /renew");
                assert!(sent.ends_with(" 401") || sent.ends_with(" 403"), "{sent}");
            }
        }
        page.open().await;
        page.shows("#name", "alice").await;
        page.count("#sessions li", 1).await;
    })
    .await;
}

const SEND_BLINDLY: &str = "
    const options = {method: 'POST', credentials: 'include', mode: 'no-cors'};
    return (await fetch(arguments[0], options)).type;";
