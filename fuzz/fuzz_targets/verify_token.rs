#![no_main]

#[path = "../bodies/verify_token.rs"]
mod verify_token;

libfuzzer_sys::fuzz_target!(|data: &[u8]| verify_token::check(data));
