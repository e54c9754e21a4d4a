//! The checks of the fuzzers, for fuzz/ and for the test that runs them with the stable compiler.

pub mod credentials;
pub mod dotenv;
pub mod verify_token;
