//! Sessions in one file: what `FileStore` keeps, forgets and refuses, whatever happens to its process
//! and its file.
#![cfg(feature = "file-store")]

#[cfg(feature = "store-conformance")]
mod conformance;
mod damage;
mod kill;
mod laws;
mod opening;
mod privacy;
mod room;
mod sessions;
