//! Sessions in one file: what `FileStore` keeps, forgets and refuses, whatever happens to its process
//! and its file.
#![cfg(feature = "file-store")]

#[cfg(feature = "store-conformance")]
#[path = "file_store/conformance.rs"]
mod conformance;
#[path = "file_store/damage.rs"]
mod damage;
#[path = "file_store/kill.rs"]
mod kill;
#[path = "file_store/laws.rs"]
mod laws;
#[path = "file_store/opening.rs"]
mod opening;
#[path = "file_store/place.rs"]
mod place;
#[path = "file_store/privacy.rs"]
mod privacy;
#[path = "file_store/room.rs"]
mod room;
#[path = "file_store/sessions.rs"]
mod sessions;
