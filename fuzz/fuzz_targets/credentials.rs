#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::fuzzed::credentials::check(data));
