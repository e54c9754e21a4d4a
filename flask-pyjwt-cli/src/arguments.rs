//! The arguments, as clap parses them. The comments are their help texts.
#![expect(clippy::doc_markdown, reason = "a terminal would show the backticks")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use clap_complete::Shell;
use flask_pyjwt::AuthType;

/// What is printed below the help of the program.
const AFTER: &str = "\
The configuration is read as the server reads it: JWT_… variables of the environment, then the .env file of this folder \
or the nearest one above it. Secrets and tokens come from files, standard input or the environment, never from \
arguments.

Exit codes: 0 fine, 1 something is wrong, 2 wrong use.";

/// The default of `rotate --wait`, in seconds: the longest time for which a server with flask-pyjwt keeps a key set.
const DEFAULT_WAIT: u32 = 6 * 3_600;
/// The most of `rotate --wait`: ten years.
const LONGEST_WAIT: i64 = 315_576_000;

/// Checks the configuration of flask-pyjwt, makes and rotates its keys, mints and inspects its tokens, and ends its
/// sessions.
#[derive(Debug, Parser)]
#[command(name = "flask-pyjwt", version, after_help = AFTER, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The arguments of all commands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Read this .env file, and do not search for one
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) env_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Doctor(Doctor),
    Keygen(Keygen),
    Rotate(Rotate),
    Jwks(Jwks),
    Mint(Mint),
    Inspect(Inspect),
    Explain(Explain),
    Sessions(Sessions),
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// Check the configuration that the server would read
///
/// Each check is ok, note, weak or wrong, in one sentence. No secret is shown.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Check this session store: redis://, rediss://, postgres:// or file:PATH [default: the environment variable STORE,
    /// which may have a password in it]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Fetch the keys of an issuer that the server trusts, by OpenID Connect discovery; can be repeated
    #[arg(long = "issuer", value_name = "URL")]
    pub(crate) issuers: Vec<String>,
}

/// Make a key
///
/// The key is written into the keys folder, with a name that says its algorithm. Only its owner can read the file. A file
/// that exists is never overwritten.
#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The algorithm [default: JWT_AUTHTYPE, or EdDSA]
    #[arg(long, value_parser = algorithm, value_name = "ALGORITHM")]
    pub(crate) alg: Option<AuthType>,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The beginning of the file's name [default: the date of today]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Make a key that is published and does not sign yet
    #[arg(long, conflicts_with = "sign_now")]
    pub(crate) next: bool,
    /// Make a key that signs at once, although another one signs now
    #[arg(long)]
    pub(crate) sign_now: bool,
    /// The size of an RSA key: 2048, 3072, 4096 or 8192 [default: 3072]
    #[arg(long)]
    pub(crate) bits: Option<u32>,
    /// Print the key itself on standard output
    #[arg(long)]
    pub(crate) show_secret: bool,
}

/// The keys folder.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The keys folder [default: JWT_KEYS_DIR]
    #[arg(long, visible_alias = "keys-dir", value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

/// Do the next step of a key rotation
///
/// One run does one step: it makes the next key, or lets it sign when every server and cache has it, or with --prune
/// deletes the keys whose last tokens have expired. It says what it did and when to run it again.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The algorithm of the next key [default: that of the signing key]
    #[arg(long, value_parser = algorithm, value_name = "ALGORITHM")]
    pub(crate) alg: Option<AuthType>,
    /// The size of an RSA key: 2048, 3072, 4096 or 8192 [default: 3072]
    #[arg(long)]
    pub(crate) bits: Option<u32>,
    /// How long the next key is published before it signs: the time to roll it out, plus the age of caches of the key
    /// set. Old keys are kept for as long after their last tokens
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_WAIT, value_parser = value_parser!(u32).range(..=LONGEST_WAIT))]
    pub(crate) wait: u32,
    /// Let the next key sign without waiting
    #[arg(long)]
    pub(crate) now: bool,
    /// Delete the keys whose last tokens have expired, before another key is made
    #[arg(long)]
    pub(crate) prune: bool,
    /// Make no new key before the signing key is so many days old
    #[arg(long, value_name = "DAYS", value_parser = value_parser!(u32).range(..=36_500))]
    pub(crate) every: Option<u32>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Print the public keys as a JWK set
///
/// It is the document that the server publishes. HMAC secrets are never in it.
#[derive(Debug, Args)]
pub(crate) struct Jwks {
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// Mint a token
///
/// It is signed as the server signs it, and printed on standard output. It belongs to no session.
#[derive(Debug, Args)]
pub(crate) struct Mint {
    /// The subject: the claim `sub`
    #[arg(allow_negative_numbers = true)]
    pub(crate) subject: String,
    /// The scope, as JSON
    #[arg(long, value_name = "JSON", allow_negative_numbers = true)]
    pub(crate) scope: Option<String>,
    /// A claim, as JSON; can be repeated
    #[arg(long = "claim", value_name = "NAME=JSON")]
    pub(crate) claims: Vec<String>,
    /// Mint a refresh token, which has no scope and no claims of your own
    #[arg(long, conflicts_with_all = ["scope", "claims"])]
    pub(crate) refresh: bool,
    /// The lifetime in seconds [default: JWT_AUTHMAXAGE or JWT_REFRESHMAXAGE]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) age: Option<i64>,
}

/// Show what a token says, and whether it is valid
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A file with the token, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say why a token passes a route or is refused, rule by rule
///
/// The route is given by the arguments of the attribute `#[require_token(…)]`, and the variables of its path by --path. A
/// text is a variable if --path has one of this name, and otherwise this very text, also for sub. Nothing of a request is
/// looked at: the place of the token, CSRF proofs and origins. The exit code is 0 if the token passes, and 1 if not.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A file with the token, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) token: PathBuf,
    /// The arguments of the attribute, as in --require 'sub = "username", scope = {"admin": true}'; empty for any auth
    /// token
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub(crate) require: String,
    /// A variable of the route's path; can be repeated
    #[arg(long = "path", value_name = "NAME=VALUE")]
    pub(crate) paths: Vec<String>,
    /// Ask this session store, too: redis://, rediss://, postgres:// or file:PATH [default: the environment variable
    /// STORE, which may have a password in it]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// List and end sessions
#[derive(Debug, Args)]
pub(crate) struct Sessions {
    #[command(subcommand)]
    pub(crate) command: SessionsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List the open sessions of a subject, the latest login first
    List {
        #[arg(allow_negative_numbers = true)]
        subject: String,
        #[command(flatten)]
        form: StoreAndForm,
    },
    /// End one session of a subject
    End {
        #[arg(allow_negative_numbers = true)]
        subject: String,
        // An ID can begin with `-`.
        #[arg(value_name = "SESSION_ID", allow_hyphen_values = true)]
        id: String,
        #[command(flatten)]
        form: StoreAndForm,
    },
    /// End all sessions of a subject, and revoke its other tokens
    EndAll {
        #[arg(allow_negative_numbers = true)]
        subject: String,
        #[command(flatten)]
        form: StoreAndForm,
    },
}

impl SessionsCommand {
    pub(crate) fn form(&self) -> &StoreAndForm {
        match self {
            Self::List { form, .. } | Self::End { form, .. } | Self::EndAll { form, .. } => form,
        }
    }
}

/// The store, and the form of the result.
#[derive(Debug, Args)]
pub(crate) struct StoreAndForm {
    /// redis://, rediss://, postgres:// or file:PATH [default: the environment variable STORE, which may have a password
    /// in it]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the completions of a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    pub(crate) shell: Shell,
}

/// Parses the name of an algorithm.
fn algorithm(name: &str) -> Result<AuthType, String> {
    name.parse().map_err(|_| {
        let names = AuthType::ALL.map(AuthType::name).join(", ");
        format!("it is one of {names}")
    })
}
