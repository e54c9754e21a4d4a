//! Compares the public interface with `docs/public-api.txt`, so that a review sees every change.
//!
//! The list comes from rustdoc's JSON, whose format depends on the compiler. So it is compared with the compiler
//! that the file names, and skipped with any other. `UPDATE_PUBLIC_API=1` rewrites the file.

use std::{
    collections::HashSet,
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use public_api::Builder;

/// The packages, and the names of their libraries.
const PACKAGES: [(&str, &str); 2] = [
    ("flask-pyjwt", "flask_pyjwt"),
    ("flask-pyjwt-core", "flask_pyjwt_core"),
];

type Failed = Box<dyn Error>;

/// Set when cargo runs this program in place of rustdoc.
const AS_RUSTDOC: &str = "PUBLIC_API_AS_RUSTDOC";

fn main() -> Result<ExitCode, Failed> {
    if env::var_os(AS_RUSTDOC).is_some() {
        return rustdoc();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("docs/public-api.txt");
    let compiler = compiler()?;
    let head = format!("# The public interface with all features, listed by {compiler}.");
    if env::var_os("UPDATE_PUBLIC_API").is_some() {
        fs::write(&file, listing(&root, &head)?)?;
        println!("written: docs/public-api.txt");
        return Ok(ExitCode::SUCCESS);
    }
    let known = fs::read_to_string(&file)?;
    if known.lines().next() != Some(&head) {
        let of = known.lines().next().unwrap_or_default();
        println!("skipped: this is {compiler}, and docs/public-api.txt begins with: {of}");
        return Ok(ExitCode::SUCCESS);
    }
    let now = listing(&root, &head)?;
    if now == known {
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "The public interface has changed. If it was meant to: UPDATE_PUBLIC_API=1, and this is the change."
    );
    print_missing("-", &known, &now);
    print_missing("+", &now, &known);
    Ok(ExitCode::FAILURE)
}

/// Prints the lines that only the first text has.
fn print_missing(sign: &str, text: &str, other: &str) {
    let other: HashSet<_> = other.lines().collect();
    for line in text.lines().filter(|line| !other.contains(line)) {
        println!("{sign} {line}");
    }
}

/// The release of the compiler, such as `rustc 1.95.0`.
fn compiler() -> Result<String, Failed> {
    let told = Command::new("rustc").arg("--version").output()?.stdout;
    let told = String::from_utf8(told)?;
    let words: Vec<_> = told.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

/// Runs rustdoc, whose JSON is not stable yet. Cargo and the compiler do not get the permission for unstable
/// features, because half of the dependencies would be compiled again, and once more by the next command.
fn rustdoc() -> Result<ExitCode, Failed> {
    let status = Command::new("rustdoc")
        .args(env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1")
        .status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn listing(root: &Path, head: &str) -> Result<String, Failed> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut listing = head.to_owned();
    for (package, library) in PACKAGES {
        let json = target.join(format!("doc/{library}.json"));
        let status = Command::new("cargo")
            .args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features"])
            .args(["--package", package, "--target-dir"])
            .arg(&target)
            .args(["--", "-Z", "unstable-options", "--output-format", "json"])
            .args(["--cap-lints", "allow"])
            .env("RUSTDOC", env::current_exe()?)
            .env(AS_RUSTDOC, "1")
            .current_dir(root)
            .status()?;
        if !status.success() {
            return Err(format!("the documentation of {package} is not built").into());
        }
        let interface = Builder::from_rustdoc_json(json)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(true)
            .build()?;
        listing.push_str(&format!("\n\n## {package}\n\n{interface}"));
    }
    Ok(listing.trim_end().to_owned() + "\n")
}
