//! A SoftHSM for one test, in a process of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use flask_pyjwt_core::AuthType;
use flask_pyjwt_pkcs11::{Pkcs11Builder, Pkcs11Signer};

pub(crate) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
pub(crate) const TOKEN: &str = "tokens of the test";
pub(crate) const PIN: &str = "12345678";
/// Tells the process of one test its folder.
const FOLDER: &str = "SOFTHSM_TEST_FOLDER";

/// Runs a test in a process of its own, with a folder of tokens of its own.
pub(crate) fn isolated(name: &str, test: impl AsyncFnOnce(Hsm)) {
    if let Ok(folder) = env::var(FOLDER) {
        let hsm = Hsm::new(folder.into());
        // Then the process ends and unloads the library, which crashes if threads are in it.
        return actix_web::rt::System::new().block_on(test(hsm));
    }
    let folder = env::temp_dir().join(format!("flask-pyjwt-softhsm-{}-{name}", std::process::id()));
    fs::create_dir_all(folder.join("tokens")).expect("a folder");
    let config = folder.join("softhsm2.conf");
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        folder.join("tokens").display()
    );
    fs::write(&config, settings).expect("written");
    let output = Command::new(env::current_exe().expect("a path"))
        .args(["--exact", "--nocapture", name])
        .env(FOLDER, &folder)
        .env("SOFTHSM2_CONF", &config)
        .output()
        .expect("started");
    drop(fs::remove_dir_all(&folder));
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, erred) = (lossy(&output.stdout), lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{erred}");
    assert!(said.contains("1 passed"), "{said}\n{erred}");
}

/// A signer with the right token and PIN, and without a key.
pub(crate) fn with_pin() -> Pkcs11Builder {
    Pkcs11Signer::builder(MODULE)
        .token_label(TOKEN)
        .pin_with(|| Ok(PIN.to_owned()))
}

/// The token, and a session of the test itself.
pub(crate) struct Hsm {
    folder: PathBuf,
    module: Pkcs11,
}

impl Hsm {
    fn new(folder: PathBuf) -> Self {
        let module = Pkcs11::new(MODULE).expect("SoftHSM is there: install Debian's softhsm2");
        let hsm = Self { folder, module };
        hsm.initialize();
        let slot = hsm.module.get_slots_with_token().expect("slots")[0];
        let officer = AuthPin::from("87654321");
        hsm.module
            .init_token(slot, &officer, TOKEN)
            .expect("initialized");
        let session = hsm.module.open_rw_session(hsm.slot()).expect("a session");
        session
            .login(UserType::So, Some(&officer))
            .expect("logged in");
        session.init_pin(&AuthPin::from(PIN)).expect("set");
        session.logout().expect("logged out");
        drop(session);
        hsm
    }

    fn initialize(&self) {
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match self.module.initialize(arguments) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn slot(&self) -> Slot {
        let slots = self.module.get_slots_with_token().expect("slots");
        let is_ours = |slot: &&Slot| {
            let token = self.module.get_token_info(**slot);
            token.is_ok_and(|token| token.label() == TOKEN)
        };
        *slots.iter().find(is_ours).expect("the token")
    }

    /// A session that is logged in. The login counts for the whole process, until its last session is closed.
    fn session(&self) -> Session {
        self.initialize();
        let session = self.module.open_rw_session(self.slot()).expect("a session");
        match session.login(UserType::User, Some(&AuthPin::from(PIN))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => session,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Generates a key pair inside the HSM. Its private part can never leave it.
    pub(crate) fn generate(&self, auth_type: AuthType, label: &str, id: &[u8]) {
        let session = self.session();
        let oid = |bytes: &[u8]| Attribute::EcParams(bytes.to_vec());
        let (mechanism, kind) = match auth_type {
            AuthType::ES256 => (
                Mechanism::EccKeyPairGen,
                vec![oid(&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])],
            ),
            AuthType::ES384 => (
                Mechanism::EccKeyPairGen,
                vec![oid(&[6, 5, 0x2b, 0x81, 4, 0, 0x22])],
            ),
            AuthType::ES512 => (
                Mechanism::EccKeyPairGen,
                vec![oid(&[6, 5, 0x2b, 0x81, 4, 0, 0x23])],
            ),
            // The name `edwards25519` as a PrintableString (PKCS #11 3.0, section 2.3.10).
            AuthType::EdDSA => {
                let name = b"edwards25519";
                (
                    Mechanism::EccEdwardsKeyPairGen,
                    vec![oid(&[&[0x13, 12], &name[..]].concat())],
                )
            }
            _ => (
                Mechanism::RsaPkcsKeyPairGen,
                vec![
                    Attribute::ModulusBits(2048.into()),
                    Attribute::PublicExponent(vec![1, 0, 1]),
                ],
            ),
        };
        let names = [
            Attribute::Token(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id.to_vec()),
        ];
        let public = [kind, names.to_vec(), vec![Attribute::Verify(true)]].concat();
        let private = [
            names.to_vec(),
            vec![
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
            ],
        ]
        .concat();
        let pair = session.generate_key_pair(&mechanism, &public, &private);
        pair.unwrap_or_else(|error| panic!("{auth_type}: {error}"));
    }

    pub(crate) fn destroy(&self, label: &str) {
        let session = self.session();
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            let template = [
                Attribute::Class(class),
                Attribute::Label(label.as_bytes().to_vec()),
            ];
            for key in session.find_objects(&template).expect("found") {
                session.destroy_object(key).expect("destroyed");
            }
        }
    }

    /// Ends the login of all sessions of the process.
    pub(crate) fn log_out(&self) {
        self.session().logout().expect("logged out");
    }

    pub(crate) fn finalize(&self) {
        self.module.clone().finalize().expect("finalized");
    }
}

/// How many threads of signers this process has. The kernel keeps the first 15 bytes of a name.
pub(crate) fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| name.trim_end() == "flask-pyjwt-hsm")
        .count()
}
