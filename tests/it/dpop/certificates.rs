//! The certificate that a proxy passes on (RFC 9440). `tests/external/client_certificates.rs` has real connections.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flask_pyjwt::ClientCertificate;

use super::*;

const OWN: &[u8] = &[0x30, 1, 1];
const OTHER: &[u8] = &[0x30, 1, 2];

fn field(certificate: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(certificate))
}

#[actix_web::test]
async fn a_proxy_that_is_named_passes_on_the_certificate_and_others_do_not() {
    let auth = manager(hs256().client_certificate_proxies(["10.0.0.0/8"]));
    let site = site(&auth).await;
    let own = ClientCertificate::from_der(OWN);
    let token = auth.auth_token("alice").bind_to_certificate(&own).sign();
    let token = token.expect("minted");
    let proxy = "10.1.2.3:1";
    for (peer, fields, reason) in [
        (Some(proxy), vec![field(OWN)], ""),
        (Some(proxy), vec![field(OTHER)], "certificate_of_another"),
        (Some(proxy), vec![], "certificate_missing"),
        (
            Some(proxy),
            vec![field(OWN), field(OWN)],
            "certificate_missing",
        ),
        (
            Some(proxy),
            vec![field(OWN), field(OTHER)],
            "certificate_missing",
        ),
        (
            Some(proxy),
            vec![format!("{}, {}", field(OWN), field(OTHER))],
            "certificate_missing",
        ),
        (
            Some(proxy),
            vec!["nothing".to_owned()],
            "certificate_missing",
        ),
        (Some("192.0.2.1:1"), vec![field(OWN)], "certificate_missing"),
        (None, vec![field(OWN)], "certificate_missing"),
    ] {
        for path in ["/any", "/bound", "/wrapped"] {
            let mut request = TestRequest::with_uri(path)
                .insert_header(("authorization", format!("Bearer {}", token.signed())));
            if let Some(peer) = peer {
                request = request.peer_addr(peer.parse().expect("an address"));
            }
            for field in &fields {
                request = request.append_header(("client-cert", &**field));
            }
            let reply = site.ask(request).await;
            let status = if reason.is_empty() { 200 } else { 401 };
            assert_eq!(reply.outcome(), (status, reason), "{peer:?} {fields:?}");
        }
    }
}

/// Both have to be proven.
#[actix_web::test]
async fn a_token_can_be_bound_to_a_key_and_a_certificate() {
    let auth = manager(hs256().client_certificate_proxies(["10.1.2.3"]));
    let site = site(&auth).await;
    let own = ClientCertificate::from_der(OWN);
    let token = auth.auth_token("alice").bind_to_certificate(&own);
    let token = token.bind_to(thumbprint(&P256)).sign().expect("minted");
    let token = token.signed();
    for (scheme, certificate, has_proof, status) in [
        ("DPoP", Some(OWN), true, 200),
        ("DPoP", Some(OWN), false, 401),
        ("DPoP", Some(OTHER), true, 401),
        ("DPoP", None, true, 401),
        ("Bearer", Some(OWN), true, 401),
    ] {
        let mut request = TestRequest::with_uri("/bound")
            .peer_addr("10.1.2.3:1".parse().expect("an address"))
            .insert_header(("host", "localhost:8080"))
            .insert_header(("authorization", format!("{scheme} {token}")));
        if let Some(certificate) = certificate {
            request = request.insert_header(("client-cert", field(certificate)));
        }
        if has_proof {
            let proof = Proof::new("GET", BOUND).of(token).sign();
            request = request.insert_header(("dpop", proof));
        }
        let reply = site.ask(request).await;
        assert_eq!(reply.status, status, "{scheme} {certificate:?} {has_proof}");
    }
}
