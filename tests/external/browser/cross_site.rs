//! Pages of other origins, from which a browser sends requests with this server's cookies.
//!
//! `localhost` is another site than `127.0.0.1`. Another port of `127.0.0.1` is the same site: all cookies are
//! sent, and its scripts can read and set the cookies that are not `HttpOnly`.

use actix_web::web::{self, Html};
use serde_json::{Value, json};

use super::{
    chromium::until,
    page::{AUTH, CSRF, Page, REFRESH, with_page},
};
use support::wire::Server;

/// A page of an attacker.
pub(crate) fn elsewhere() -> Server {
    Server::start(|app| {
        let page = async || Html::new("<!doctype html><title>Elsewhere</title>");
        app.route("/", web::get().to(page));
    })
}

/// Two addresses of the same page: another site, and another origin of the same site.
pub(crate) fn origins(server: &Server) -> [(String, &'static str); 2] {
    let port = server.port;
    [
        (format!("http://localhost:{port}"), "cross-site"),
        (format!("http://127.0.0.1:{port}"), "same-site"),
    ]
}

async fn has_changed_nothing(page: &Page, session: &str, what: &str) {
    page.open().await;
    page.shows("#name", "alice").await;
    page.count("#sessions li", 1).await;
    page.count("#notes li", 0).await;
    assert_eq!(page.cookie_value(AUTH).await, session, "{what}");
}

#[actix_web::test]
async fn threat_31_a_form_of_another_origin_changes_nothing() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        let session = page.cookie_value(AUTH).await;
        let server = elsewhere();
        for (origin, site) in origins(&server) {
            for (path, encoding) in [
                ("/note", "application/x-www-form-urlencoded"),
                ("/note", "text/plain"),
                ("/note", "multipart/form-data"),
                ("/renew", "application/x-www-form-urlencoded"),
                ("/logout", "application/x-www-form-urlencoded"),
                ("/logout_everywhere", "application/x-www-form-urlencoded"),
                ("/login", "application/x-www-form-urlencoded"),
                ("/bound/login", "application/x-www-form-urlencoded"),
            ] {
                let what = format!("{encoding} to {path} from {origin}");
                page.goto(&origin).await;
                let form = json!({"action": format!("{}{path}", page.url), "enctype": encoding});
                page.run_with(SEND_A_FORM, form).await;
                // The browser navigates to the server's response.
                let answer = until(async || {
                    let shown = page.run("return [location.origin, document.body.innerText]");
                    let shown = shown.await;
                    match (shown[0].as_str(), shown[1].as_str()) {
                        (Some(at), Some(text)) if at == page.url => Ok(text.to_owned()),
                        _ => Err(format!("{what}: {shown}")),
                    }
                });
                let answer: Value = serde_json::from_str(&answer.await).expect("JSON");
                // Cookies are not sent from another site, but a login needs none.
                let expected = match (site, path) {
                    ("cross-site", "/login" | "/bound/login") | ("same-site", _) => "csrf_failed",
                    _ => "unauthorized",
                };
                assert_eq!(answer["error"], expected, "{what}");
                has_changed_nothing(page, &session, &what).await;
            }
        }
    })
    .await;
}

/// Sends the same requests as the page's own forms, from a form of this page.
const SEND_A_FORM: &str = "
    const form = document.createElement('form');
    Object.assign(form, {method: 'post', ...arguments[0]});
    const fields = {text: 'evil', csrf_token: 'guessed', username: 'root', password: 'correct-horse'};
    for (const [name, value] of Object.entries(fields)) {
        const field = document.createElement('input');
        Object.assign(field, {name, value});
        form.append(field);
    }
    document.body.append(form);
    form.submit();";

#[actix_web::test]
async fn threat_31_a_script_of_another_origin_changes_nothing() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        let session = page.cookie_value(AUTH).await;
        let server = elsewhere();
        for (origin, site) in origins(&server) {
            page.goto(&origin).await;
            page.browser.answers().await;
            let outcomes = page.run_with(SEND_FETCHES, page.url.as_str()).await;
            // Without a custom header the request is sent, but the script cannot read the response. With one, or
            // where the script wants to read the response, the browser blocks it.
            for (name, outcome) in outcomes.as_object().expect("an object") {
                let is_blind = name.starts_with("blind");
                let expected = if is_blind { "opaque 0" } else { "TypeError" };
                assert_eq!(outcome, expected, "{name} from {origin}");
            }
            let answers = page.browser.answers().await;
            let sent = |path: &str| {
                let url = format!("{}{path}", page.url);
                let to = answers.iter().filter(move |answer| answer.url == url);
                to.filter(|answer| answer.method == "POST")
            };
            for (path, least) in [("/note", 2), ("/renew", 1), ("/logout", 1), ("/login", 1)] {
                assert!(sent(path).count() >= least, "{path}: {answers:?}");
                for answer in sent(path) {
                    let expected = match (site, path) {
                        ("cross-site", "/login") | ("same-site", _) => 403,
                        _ => 401,
                    };
                    assert_eq!(answer.status, expected, "{origin}: {answer:?}");
                    assert_eq!(answer.set_cookies, "", "{origin}: {answer:?}");
                }
            }
            has_changed_nothing(page, &session, &origin).await;
        }
    })
    .await;
}

const SEND_FETCHES: &str = "
    const url = arguments[0];
    const post = {method: 'POST', credentials: 'include'};
    const form = () => new URLSearchParams({
        text: 'evil', csrf_token: 'guessed', username: 'root', password: 'correct-horse'});
    const requests = {
        'blind note': ['/note', {...post, mode: 'no-cors', body: form()}],
        'blind note as text': ['/note', {...post, mode: 'no-cors', body: form().toString()}],
        'blind renewal': ['/renew', {...post, mode: 'no-cors'}],
        'blind logout': ['/logout', {...post, mode: 'no-cors'}],
        'blind login': ['/login', {...post, mode: 'no-cors', body: form()}],
        'note': ['/note', {...post, body: form()}],
        'note with a field': ['/note', {...post, body: form(), headers: {'X-CSRF-Token': 'guessed'}}],
        'look': ['/me', {credentials: 'include'}],
    };
    const outcomes = {};
    for (const [name, [path, options]] of Object.entries(requests)) {
        outcomes[name] = await fetch(url + path, options).then(
            (answer) => `${answer.type} ${answer.status}`, (error) => error.name);
    }
    return outcomes;";

#[actix_web::test]
async fn threat_31_a_proof_of_another_session_fails_even_if_cookie_and_field_match() {
    with_page(&[], async |page: &Page| {
        // The attacker gets a valid proof from a session of their own.
        page.open().await;
        page.log_in("root", "correct-horse").await;
        let foreign = page.cookie_value(CSRF).await;
        page.press("#logout").await;
        page.shows("#message", "You are logged out.").await;
        page.log_in("alice", "wonderland").await;
        let own = page.cookie_value(CSRF).await;
        let (random, mac) = own.split_once('.').expect("two parts");
        let (foreign_random, foreign_mac) = foreign.split_once('.').expect("two parts");

        let server = elsewhere();
        let [_, (neighbour, _)] = origins(&server);
        for (proof, what) in [
            (foreign.clone(), "a proof of another session"),
            (format!("{random}.{foreign_mac}"), "halves of two"),
            (format!("{foreign_random}.{mac}"), "halves of two"),
            (format!("{random}."), "no code"),
            (String::new(), "nothing"),
            ("guessed".to_owned(), "a guess"),
        ] {
            // A server on another port of the host sets its cookie among this server's.
            page.goto(&neighbour).await;
            page.run_with(TOSS, format!("{CSRF}={proof}")).await;
            assert_eq!(page.cookie_value(CSRF).await, proof, "{what}");

            page.open().await;
            page.fill_in("#text", "evil").await;
            page.press("#note button[value=fetch]").await;
            page.shows("#message", "A CSRF proof is required").await;
            if what.starts_with("a proof") {
                page.browser.screenshot("csrf-refused").await;
            }
            page.press("#note button[value=form]").await;
            page.shows("body", "csrf_failed").await;
            page.open().await;
            page.shows("#name", "alice").await;
            page.count("#notes li", 0).await;
        }

        // With its own proof, both ways work.
        page.run_with(TOSS, format!("{CSRF}={own}")).await;
        page.fill_in("#text", "by script").await;
        page.press("#note button[value=fetch]").await;
        page.shows("#message", "The proof was in a header").await;
        page.shows("#notes li", "by script").await;
        page.fill_in("#text", "as a form").await;
        page.press("#note button[value=form]").await;
        page.shows("#message", "The proof was in a form field")
            .await;
        page.shows("#notes li", "as a form").await;
        page.count("#notes li", 2).await;
    })
    .await;
}

const TOSS: &str = "document.cookie = `${arguments[0]}; Secure; Path=/; SameSite=Strict`;";

#[actix_web::test]
async fn a_page_of_another_origin_cannot_open_a_websocket() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        let server = elsewhere();
        let own = (page.url.clone(), "same-origin");
        for (origin, site) in origins(&server).into_iter().chain([own]) {
            page.goto(&origin).await;
            let outcome = page.run_with(OPEN_A_SOCKET, page.url.replace("http", "ws"));
            let expected = match site {
                "same-origin" => "message",
                _ => "error",
            };
            assert_eq!(outcome.await, expected, "{origin}");
        }
        // The real page still works.
        assert!(page.cookie(REFRESH).await.is_some());
    })
    .await;
}

pub(crate) const OPEN_A_SOCKET: &str = "
    const socket = new WebSocket(arguments[0] + '/ws');
    const outcome = await new Promise((done) => {
        socket.onmessage = () => done('message');
        socket.onerror = () => done('error');
        socket.onclose = () => done('close');
    });
    socket.close();
    return outcome;";

#[actix_web::test]
async fn the_page_cannot_be_framed_and_runs_only_its_own_script() {
    with_page(&[], async |page: &Page| {
        let server = elsewhere();
        for (origin, _) in origins(&server) {
            page.goto(&origin).await;
            page.run_with(FRAME, page.url.as_str()).await;
            let refused = page.browser.console().await.concat();
            assert!(refused.contains("frame-ancestors"), "{origin}: {refused}");
        }

        page.open().await;
        let ran = "
            for (const attribute of ['textContent', 'src']) {
                const script = document.createElement('script');
                script[attribute] = attribute === 'src' ? 'data:text/javascript,ran = 1' : 'ran = 2';
                document.head.append(script);
            }
            const image = document.createElement('img');
            image.setAttribute('onerror', 'ran = 3');
            image.src = 'data:,';
            document.body.append(image);
            await new Promise((done) => image.addEventListener('error', done));
            return typeof ran;";
        assert_eq!(page.run(ran).await, "undefined");
        let refused = page.browser.console().await.concat();
        assert!(refused.contains("script-src 'self'"), "{refused}");
    })
    .await;
}

const FRAME: &str = "
    const frame = document.createElement('iframe');
    frame.src = arguments[0];
    const loaded = new Promise((done) => frame.addEventListener('load', done));
    document.body.append(frame);
    await loaded;";
