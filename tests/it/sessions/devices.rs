//! What a session says about the device that opened it.

use actix_web::test::TestRequest;
use flask_pyjwt::Session;
use time::Duration;

use super::{clock, with_memory};

fn shown(session: &Session) -> [Option<&str>; 3] {
    let Session {
        label,
        address,
        user_agent,
        ..
    } = session;
    [label, address, user_agent].map(Option::as_deref)
}

#[actix_web::test]
async fn a_session_keeps_nothing_of_its_device_unless_asked() {
    let auth = with_memory(&clock());
    let request = TestRequest::default()
        .peer_addr("192.0.2.1:50000".parse().expect("an address"))
        .insert_header(("User-Agent", "Firefox"))
        .to_http_request();
    auth.login("alice")
        .replacing(&request)
        .await
        .expect("opened");
    let sessions = auth.sessions("alice").await.expect("listed");
    assert_eq!(shown(&sessions[0]), [None; 3]);
}

#[actix_web::test]
async fn a_refresh_keeps_the_device_of_the_login() {
    let clock = clock();
    let auth = with_memory(&clock);
    let login = auth
        .login("alice")
        .address("192.0.2.1")
        .user_agent("Firefox");
    let pair = login.label("phone").await.expect("opened");
    clock.advance(Duration::MINUTE);
    auth.refresh(&pair.refresh).await.expect("rotated");
    let sessions = auth.sessions("alice").await.expect("listed");
    let expected = ["phone", "192.0.2.1", "Firefox"].map(Some);
    assert_eq!(shown(&sessions[0]), expected);
}

#[actix_web::test]
async fn hostile_texts_are_short_and_of_one_line() {
    let auth = with_memory(&clock());
    let login = auth
        .login("alice")
        .address("1\r\n2\u{202e}3".repeat(1_000_000));
    login
        .user_agent("\u{e9}\0".repeat(5_000_000))
        .await
        .expect("opened");
    let login = auth.login("bob").address("\u{200b}\n").user_agent(" ");
    login.await.expect("opened");

    let session = auth.sessions("alice").await.expect("listed").remove(0);
    for (kept, most) in [(session.address, 64), (session.user_agent, 256)] {
        let kept = kept.expect("something is left");
        assert!((most - 4..=most).contains(&kept.len()), "{kept:?}");
        assert!(!kept.contains(|it: char| it.is_control() || it == '\u{202e}'));
    }
    let sessions = auth.sessions("bob").await.expect("listed");
    assert_eq!(shown(&sessions[0]), [None; 3]);
}

#[actix_web::test]
async fn the_address_is_that_of_the_connection_whatever_the_client_sends() {
    let auth = with_memory(&clock());
    for (peer, expected) in [
        ("192.0.2.1:1", "192.0.2.1"),
        ("[2001:db8::1]:1", "2001:db8::1"),
        ("[::ffff:192.0.2.1]:1", "192.0.2.1"),
    ] {
        let request = TestRequest::default()
            .peer_addr(peer.parse().expect("an address"))
            .insert_header(("X-Forwarded-For", "203.0.113.9"))
            .insert_header(("Forwarded", "for=203.0.113.9"))
            .insert_header(("User-Agent", b"Fire\xfffox".as_slice()))
            .to_http_request();
        auth.login(peer).seen_from(&request).await.expect("opened");
        let sessions = auth.sessions(peer).await.expect("listed");
        let expected = [None, Some(expected), Some("Fire\u{fffd}fox")];
        assert_eq!(shown(&sessions[0]), expected);
    }
    // A connection without an address, such as a Unix socket.
    let request = TestRequest::default().to_http_request();
    let login = auth.login("alice").address("192.0.2.1").seen_from(&request);
    login.await.expect("opened");
    let sessions = auth.sessions("alice").await.expect("listed");
    assert_eq!(shown(&sessions[0]), [None; 3]);
}
