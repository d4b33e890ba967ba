//! A payload in any dialect: told apart, read, written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto::fuzzing::dialect(data));
