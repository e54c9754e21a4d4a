#![no_main]

#[path = "../bodies/dotenv.rs"]
mod dotenv;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dotenv::check(data));
