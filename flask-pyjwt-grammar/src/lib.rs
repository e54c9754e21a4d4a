//! The grammar of the attribute `#[require_token]` of [flask-pyjwt](https://docs.rs/flask-pyjwt). Use that package.
//!
//! It says what was written, with all mistakes at once. What it means for a route, `flask-pyjwt-macros` decides at compile
//! time, and `flask-pyjwt explain` at run time.
//!
//! ```
//! use flask_pyjwt_grammar::{Args, Errors};
//!
//! let mut errors = Errors::default();
//! let args = Args::parse(r#""refresh", role = any("editor", "admin")"#.parse()?, &mut errors);
//! assert_eq!(args.token_type.as_deref(), Some("refresh"));
//! assert_eq!(args.claims[0].0.name, "role");
//! assert!(errors.finish().is_ok());
//!
//! let mut errors = Errors::default();
//! Args::parse("scop = \"read\", role = None".parse()?, &mut errors);
//! let messages: Vec<_> = errors.finish().unwrap_err().into_iter().map(|it| it.to_string()).collect();
//! assert_eq!(messages.len(), 2);
//! assert!(messages[0].starts_with("did you mean `scope`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod args;
mod claim;
mod errors;
mod habits;
mod names;
mod nearest;
mod value;

pub use self::{
    args::Args,
    claim::Expected,
    errors::Errors,
    nearest::nearest,
    value::{Key, Value},
};
