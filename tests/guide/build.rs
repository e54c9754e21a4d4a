//! Writes the programs of the guide and of the README into one file: a module for each page, and a function that runs one of them.
//!
//! A page's program is its first block of the kind `rust,no_run`. It is used unchanged, except that `main` is
//! visible outside its module, and that the program listens on a free port in place of 8080.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const GUIDE: &str = "../../docs/guide";
const README: &str = "../../README.md";
const BIND: &str = ".bind((\"127.0.0.1\", 8080))";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={GUIDE}");
    println!("cargo::rerun-if-changed={README}");
    let mut pages = vec![PathBuf::from(README)];
    collect(Path::new(GUIDE), &mut pages)?;
    pages.sort();

    let mut modules = String::new();
    let mut names = String::new();
    let mut arms = String::new();
    for path in pages {
        let Some(program) = program(&fs::read_to_string(&path)?) else {
            continue;
        };
        let page = path.strip_prefix(GUIDE).or(path.strip_prefix("../.."))?;
        let page = page.with_extension("");
        let page = page.to_str().ok_or("a page's name is text")?;
        let module = page.replace('/', "_").to_lowercase();
        writeln!(modules, "mod {module} {{\n{program}}}\n")?;
        writeln!(names, "    {page:?},")?;
        writeln!(arms, "        {page:?} => {module}::main().report(),")?;
    }
    let run = format!(
        "const PAGES: &[&str] = &[\n{names}];\n\n\
         fn run(page: &str) -> ExitCode {{\n    match page {{\n{arms}        \
         _ => ExitCode::FAILURE,\n    }}\n}}\n"
    );
    let file = PathBuf::from(env::var("OUT_DIR")?).join("programs.rs");
    fs::write(file, modules + &run)?;
    Ok(())
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, pages)?;
        } else if path.extension().is_some_and(|it| it == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The first program of a page, ready to be used as a module. A block that starts no server is not a program.
fn program(page: &str) -> Option<String> {
    let (_, after) = page.split_once("\n```rust,no_run\n")?;
    let (program, _) = after.split_once("\n```")?;
    if !program.contains(BIND) {
        return None;
    }
    let main = program.replace("\nasync fn main(", "\npub(crate) async fn main(");
    Some(main.replace(BIND, ".listen(crate::listener()?)") + "\n")
}
