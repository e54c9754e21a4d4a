//! What the fuzzers check, for fuzz/ and for the test that runs the same with the stable compiler.

pub mod credentials;
pub mod dotenv;
pub mod verify_token;
