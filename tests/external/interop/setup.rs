//! One `.env` file for two servers, written differently for each algorithm.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use pem::{EncodeConfig, LineEnding, Pem};

/// Ages in seconds, as the file writes them.
pub(crate) const AUTH_MAX_AGE: i64 = 1200;
pub(crate) const REFRESH_MAX_AGE: i64 = 86_400;
/// The value that `${…}` of the file expands to.
pub(crate) const ISSUER: &str = "https://auth.example/main";

/// Keys of one algorithm.
pub(crate) struct Keys {
    /// The secret, or the private key in PEM.
    pub(crate) secret: String,
    /// The public key in PEM.
    pub(crate) public: Option<String>,
}

impl Keys {
    pub(crate) fn generate(algorithm: &str) -> Self {
        if algorithm.starts_with("HS") {
            let mut bytes = [0_u8; 64];
            rand::fill(&mut bytes).expect("the system has randomness");
            // Every character with a special meaning in some reader of `.env` files.
            let secret = format!("pa$$word $HOME \"#\" \\n 'é' {}", hex(&bytes));
            return Self {
                secret,
                public: None,
            };
        }
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key can be made");
        let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("it can be written");
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key());
        let public = public.expect("it can be written");
        Self {
            secret: pem("PRIVATE KEY", private.as_ref()),
            public: Some(pem("PUBLIC KEY", public.as_ref())),
        }
    }

    /// Writes the file into a folder of this name.
    pub(crate) fn dotenv(&self, algorithm: &str, folder: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).expect("the folder is created");
        let file = folder.join(".env");
        fs::write(&file, self.text(algorithm)).expect("the file is written");
        file
    }

    fn text(&self, algorithm: &str) -> String {
        let secret = match algorithm {
            "HS256" | "HS512" => {
                format!(
                    "'{}'",
                    self.secret.replace('\\', "\\\\").replace('\'', "\\'")
                )
            }
            "RS256" => format!("\"{}\"", self.secret),
            _ => format!("\"{}\"", self.secret.replace('\n', "\\n")),
        };
        let public = self.public.as_deref().map(|public| match algorithm {
            "RS256" => format!("export JWT_PUBLICKEY='{public}' # many lines\n"),
            _ => format!("JWT_PUBLICKEY=\"{}\"\n", public.replace('\n', "\\n")),
        });
        let text = format!(
            "# One file for both fleets.\n\
             export JWT_ISSUER=\"https://auth.example/${{FLASK_PYJWT_TEST_REALM:-main}}\" # who\n\
             JWT_AUTHTYPE = {algorithm}\n\
             JWT_SECRET={secret}\n{}\
             JWT_AUTHMAXAGE={AUTH_MAX_AGE}   # seconds\n\
             JWT_REFRESHMAXAGE='{REFRESH_MAX_AGE}'\n",
            public.unwrap_or_default()
        );
        if algorithm.ends_with("512") {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    }
}

fn pem(tag: &str, der: &[u8]) -> String {
    pem::encode_config(
        &Pem::new(tag, der),
        EncodeConfig::new().set_line_ending(LineEnding::LF),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
