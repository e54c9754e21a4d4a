//! An upload form of the server's own page, without a script: its first field is the CSRF proof.

use actix_web::{
    HttpResponse,
    dev::Payload,
    error::PayloadError,
    test::TestRequest,
    web::{self, Bytes},
};
use flask_pyjwt::{AuthManager, Cookies, RequireToken, TokenPair, require_token};
use futures_util::stream;

use super::{login, with};
use support::site::{Reply, Site};

const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

#[require_token("auth", "cookies")]
async fn upload(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().body(body)
}

async fn echo(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().body(body)
}

/// Answers without reading its body.
#[require_token("auth", "cookies")]
async fn unread() -> &'static str {
    "in"
}

async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(move |app| {
        let wrapped = web::resource("/wrapped")
            .wrap(RequireToken::auth().cookies())
            .to(echo);
        app.app_data(auth)
            .app_data(web::PayloadConfig::new(1 << 22))
            .route("/upload", web::post().to(upload))
            .route("/unread", web::post().to(unread))
            .service(wrapped);
    })
    .await
}

fn part(name: &str, more: &str, content: &str) -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{content}\r\n"
    )
}

/// A form of two parts as a browser writes it: a field, and a file with bytes of all values.
fn form(name: &str, content: &str) -> Vec<u8> {
    let mut form = part(name, "", content).into_bytes();
    form.extend_from_slice(
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    form.extend((0..3_000).map(|n| u8::try_from(n % 256).expect("a byte")));
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    form
}

async fn post(site: &Site, pair: &TokenPair, path: &str, field: &str, chunks: Vec<Bytes>) -> Reply {
    let request = TestRequest::post()
        .uri(path)
        .insert_header(("cookie", format!("__Host-auth={}", pair.auth.signed())))
        .insert_header(("content-type", field));
    let chunks = chunks.into_iter().map(Ok::<_, PayloadError>);
    let payload = Box::pin(stream::iter(chunks));
    site.ask_with(request, Payload::Stream { payload }).await
}

fn usual() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

#[actix_web::test]
async fn the_first_field_of_an_upload_is_a_proof_and_the_handler_gets_every_byte() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let proof = auth.csrf_proof(&pair.auth).expect("made");
    let site = site(&auth).await;
    let form = form("csrf_token", &proof);
    let whole = Bytes::from(form.clone());
    for path in ["/upload", "/wrapped"] {
        for field in [
            usual(),
            format!("Multipart/Form-Data; charset=utf-8; boundary=\"{BOUNDARY}\""),
        ] {
            let reply = post(&site, &pair, path, &field, vec![whole.clone()]).await;
            assert_eq!(reply.outcome(), (200, ""), "{field}");
            assert_eq!(reply.body, whole, "{field}");
        }
        // The network can split the body anywhere, also into empty chunks.
        for at in 0..400 {
            let chunks = vec![whole.slice(..at), Bytes::new(), whole.slice(at..)];
            let reply = post(&site, &pair, path, &usual(), chunks).await;
            assert_eq!(
                (reply.outcome(), reply.body == whole),
                ((200, ""), true),
                "{at}"
            );
        }
        let bytes = (0..whole.len()).map(|at| whole.slice(at..=at)).collect();
        let reply = post(&site, &pair, path, &usual(), bytes).await;
        assert_eq!((reply.outcome(), reply.body == whole), ((200, ""), true));
    }
    let mut large = form;
    large.resize(3 << 20, b'x');
    let large = Bytes::from(large);
    let reply = post(&site, &pair, "/upload", &usual(), vec![large.clone()]).await;
    assert_eq!(reply.body, large, "larger than a simple form may be");
    let reply = post(&site, &pair, "/unread", &usual(), vec![whole]).await;
    assert_eq!(reply.outcome(), (200, ""));
}

#[actix_web::test]
async fn any_other_first_field_is_refused_with_its_own_reason() {
    let auth = with(Cookies::default());
    let (pair, other) = (login(&auth).await, login(&auth).await);
    let proof = auth.csrf_proof(&pair.auth).expect("made");
    let foreign = auth.csrf_proof(&other.auth).expect("made");
    let site = site(&auth).await;
    let good = part("csrf_token", "", &proof);
    let end = format!("--{BOUNDARY}--\r\n");
    let (missing, not_first, wrong) = (
        "csrf_proof_missing",
        "csrf_proof_not_first",
        "csrf_proof_wrong",
    );
    for (field, body, reason) in [
        (
            usual(),
            format!("{}{good}{end}", part("text", "", "hello")),
            not_first,
        ),
        (usual(), format!("preamble\r\n{good}{end}"), not_first),
        (usual(), format!("\r\n{good}{end}"), not_first),
        (usual(), good.replace("\r\n", "\n"), not_first),
        (
            usual(),
            part("csrf_token", "; filename=\"x\"", &proof) + &end,
            not_first,
        ),
        (usual(), part("CSRF_TOKEN", "", &proof) + &end, not_first),
        (usual(), end.clone(), not_first),
        (usual(), format!("csrf_token={proof}"), not_first),
        (usual(), String::new(), missing),
        (usual(), good[..good.len() - 2].to_owned(), missing),
        (
            usual(),
            format!("{}{end}", part("csrf_token", "", "")),
            wrong,
        ),
        (
            usual(),
            format!("{}{end}", part("csrf_token", "", &foreign)),
            wrong,
        ),
        (
            usual(),
            format!("{}{end}", part("csrf_token", "", &format!("{proof}\r\n"))),
            wrong,
        ),
        (
            usual(),
            format!("{}{end}", part("csrf_token", "", &"x".repeat(5_000))),
            wrong,
        ),
        (
            usual(),
            part("csrf_token", &"; x=y".repeat(1_000), &proof) + &end,
            wrong,
        ),
        (
            "multipart/form-data".to_owned(),
            good.clone() + &end,
            missing,
        ),
        (
            "multipart/form-data; boundary=".to_owned(),
            good.clone() + &end,
            missing,
        ),
        (
            format!("multipart/form-data; boundary={}", "b".repeat(71)),
            good.clone() + &end,
            missing,
        ),
        (
            format!("multipart/mixed; boundary={BOUNDARY}"),
            good.clone() + &end,
            missing,
        ),
    ] {
        for path in ["/upload", "/wrapped"] {
            let reply = post(&site, &pair, path, &field, vec![body.clone().into()]).await;
            reply.is_refused(403, "csrf_failed", reason, &format!("{body:.300}"));
        }
    }
}

#[actix_web::test]
async fn a_body_that_fails_or_never_ends_its_first_field_is_refused() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let site = site(&auth).await;
    let request = || {
        TestRequest::post()
            .uri("/upload")
            .insert_header(("cookie", format!("__Host-auth={}", pair.auth.signed())))
            .insert_header(("content-type", usual()))
    };
    let begin = Bytes::from(part("csrf_token", "", "x").replace("x\r\n", ""));
    let endless = stream::repeat_with(move || Ok::<_, PayloadError>(begin.clone()));
    let payload = Box::pin(endless);
    let reply = site.ask_with(request(), Payload::Stream { payload }).await;
    reply.is_refused(403, "csrf_failed", "csrf_proof_wrong", "endless");
    let failing = stream::iter([Err(PayloadError::Incomplete(None))]);
    let payload = Box::pin(failing);
    let reply = site.ask_with(request(), Payload::Stream { payload }).await;
    reply.is_refused(403, "csrf_failed", "csrf_proof_missing", "broken off");
}
