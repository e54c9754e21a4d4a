//! TLS: to a server whose certificate an authority vouches for, and to no other.

use std::{path::Path, process::Command};

use flask_pyjwt::RedisStore;

use crate::{
    records::{patient, reason},
    server::{Folder, Server, free_port, needs_redis},
};

/// Makes an authority, and two certificates that it signs: of the server and of a client.
fn make_certificates(folder: &Path) {
    let openssl = |args: &str| {
        let done = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(folder)
            .output()
            .expect("openssl is there");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=authority"
    ));
    openssl(&format!(
        "req -x509 {key} -keyout other.key -out other.crt -subj /CN=other"
    ));
    for name in ["server", "client"] {
        openssl(&format!(
            "req -x509 {key} -CA ca.crt -CAkey ca.key -keyout {name}.key -out {name}.crt \
             -subj /CN={name} -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
             -addext basicConstraints=critical,CA:FALSE"
        ));
    }
}

#[actix_web::test]
async fn a_connection_is_made_to_a_server_that_is_vouched_for_and_to_no_other() {
    needs_redis!();
    let folder = Folder::new();
    make_certificates(&folder.0);
    let path = |name: &str| folder.0.join(name).display().to_string();
    let read = |name: &str| std::fs::read(folder.0.join(name)).expect("it was made");
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
    crate::laws::are_kept(&store).await;

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
