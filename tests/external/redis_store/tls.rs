//! TLS: the store only connects to servers with a certificate of a trusted authority.

use flask_pyjwt::RedisStore;
use support::folder::Folder;

use super::{
    records::{patient, reason},
    server::{Server, free_port, needs_redis},
};
use support::certificates::{self, make_authority, make_certificate};

#[actix_web::test]
async fn the_store_connects_only_to_servers_with_a_trusted_certificate() {
    needs_redis!();
    let folder = Folder::new("redis");
    make_authority(folder.path(), "ca");
    make_authority(folder.path(), "other");
    for name in ["server", "client"] {
        make_certificate(folder.path(), "ca", name, "DNS:localhost,IP:127.0.0.1");
    }
    let path = |name: &str| folder.path().join(name).display().to_string();
    let read = |name: &str| certificates::read(folder.path(), name);
    let port = free_port().to_string();
    let certificates = [path("server.crt"), path("server.key"), path("ca.crt")];
    let server = Server::with(&[
        "--save",
        "",
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificates[0],
        "--tls-key-file",
        &certificates[1],
        "--tls-ca-cert-file",
        &certificates[2],
    ]);
    let url = format!("rediss://localhost:{port}");
    let builder = || patient().client_certificate(read("client.crt"), read("client.key"));
    let known = builder().root_certificates(read("ca.crt"));
    let store = known.connect(&url).await.expect("connected");
    super::rules::are_kept(&store).await;

    for (builder, part) in [
        (
            builder().root_certificates(read("other.crt")),
            "invalid peer certificate",
        ),
        (builder(), "invalid peer certificate"),
        (RedisStore::builder().root_certificates(read("ca.crt")), ""),
        (builder().root_certificates("no PEM"), ""),
        (builder().root_certificates(""), ""),
        (
            RedisStore::builder().client_certificate("no PEM", "neither"),
            "cannot be read",
        ),
    ] {
        let error = builder
            .connect(&url)
            .await
            .expect_err("it is not to be trusted");
        let reason = reason(&error);
        assert!(
            reason.contains(part) && !reason.contains("PRIVATE"),
            "{reason}"
        );
    }
    drop(server);
}
