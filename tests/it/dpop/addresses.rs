//! The address of a proof, as clients write it and as proxies change it (RFC 9449, section 4.3, item 9).

use super::*;

#[actix_web::test]
async fn one_address_can_be_written_in_many_ways() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    for (asked, written) in [
        (BOUND, "HTTP://LocalHost:8080/bound"),
        (BOUND, "http://localhost:8080/bound?query#fragment"),
        (BOUND, "http://localhost:8080/a/../bound"),
        (BOUND, "http://localhost:8080/%62ound"),
        (
            "http://localhost:8080/bound?a=b",
            "http://localhost:8080/bound",
        ),
        (
            "http://localhost:8080/bound?a=b",
            "http://localhost:8080/bound?c=d",
        ),
        ("http://localhost/bound", "http://localhost:80/bound"),
        ("http://localhost:80/bound", "http://localhost/bound"),
        ("http://[::1]:8080/bound", "http://[::1]:8080/bound"),
    ] {
        let proof = Proof::new("GET", written).of(&token).sign();
        let reply = present(&site, asked, &token, &proof).await;
        assert_eq!(reply.outcome(), (200, ""), "{asked} {written}");
    }
}

/// The same fields as for the origin of a page.
#[actix_web::test]
async fn behind_a_proxy_the_address_is_the_one_that_the_client_has_used() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    for (fields, address) in [
        (
            vec![("x-forwarded-proto", "https")],
            "https://internal:3000/bound",
        ),
        (
            vec![
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "api.example"),
            ],
            "https://api.example/bound",
        ),
        (
            vec![
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "api.example"),
                ("x-forwarded-port", "8443"),
            ],
            "https://api.example:8443/bound",
        ),
        (
            vec![("forwarded", "proto=https;host=api.example")],
            "https://api.example/bound",
        ),
    ] {
        for (written, status) in [(address, 200), ("https://other.example/bound", 401)] {
            let proof = Proof::new("GET", written).of(&token).sign();
            let mut request = TestRequest::with_uri("/bound")
                .insert_header(("host", "internal:3000"))
                .insert_header(("authorization", format!("DPoP {token}")))
                .insert_header(("dpop", proof));
            for field in &fields {
                request = request.insert_header(*field);
            }
            let reply = site.ask(request).await;
            assert_eq!(reply.status, status, "{fields:?} {written}");
        }
    }
}

/// With named addresses, what a client says in its fields counts for nothing.
#[actix_web::test]
async fn threat_63_named_addresses_are_the_only_ones() {
    let auth = manager(hs256().public_urls(["https://api.example/v1", "https://api.example:8443"]));
    let site = site(&auth).await;
    let token = token(&auth);
    for (written, status) in [
        ("https://api.example/v1/bound", 200),
        ("https://api.example:8443/bound", 200),
        ("https://api.example/bound", 401),
        ("https://other.example/bound", 401),
        ("http://localhost:8080/bound", 401),
    ] {
        let proof = Proof::new("GET", written).of(&token).sign();
        let request = TestRequest::with_uri("/bound")
            .insert_header(("host", "localhost:8080"))
            .insert_header(("x-forwarded-proto", "https"))
            .insert_header(("x-forwarded-host", "other.example"))
            .insert_header(("authorization", format!("DPoP {token}")))
            .insert_header(("dpop", proof));
        assert_eq!(site.ask(request).await.status, status, "{written}");
    }
}
