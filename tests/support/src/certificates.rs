//! Certificates that `openssl` makes for one test.

use std::{fs, path::Path, process::Command};

/// Keys on P-256, valid for two days.
const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Makes an authority: `name.key` and `name.crt`.
pub fn make_authority(folder: &Path, name: &str) {
    openssl(
        folder,
        &format!("req -x509 {KEY} -keyout {name}.key -out {name}.crt -subj /CN={name}"),
    );
}

/// Makes `name.key`, and `name.crt` signed by an authority, for hosts like
/// `DNS:localhost,IP:127.0.0.1`.
pub fn make_certificate(folder: &Path, authority: &str, name: &str, hosts: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 {KEY} -CA {authority}.crt -CAkey {authority}.key -keyout {name}.key \
             -out {name}.crt -subj /CN={name} -addext subjectAltName={hosts} \
             -addext basicConstraints=critical,CA:FALSE"
        ),
    );
}

/// Reads a file of the folder.
pub fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).expect("it was made")
}
