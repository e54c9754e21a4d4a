//! Sessions in one file: what `FileStore` keeps, forgets and refuses, whatever happens to its process and its
//! file.

mod conformance;
mod damage;
mod kill;
mod opening;
mod privacy;
mod room;
mod rules;
mod sessions;
