//! Builds the book of `docs/book.toml`: `sh docs/site.sh`.

use std::{error::Error, path::Path};

use mdbook_driver::MDBook;

fn main() -> Result<(), Box<dyn Error>> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let book = MDBook::load(docs)?;
    book.build()?;
    let site = book.root.join(&book.config.build.build_dir);
    println!(
        "The site is there: {}",
        site.canonicalize()?.join("index.html").display()
    );
    Ok(())
}
