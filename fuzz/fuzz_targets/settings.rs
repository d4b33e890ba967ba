//! A settings file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto_server::fuzzing::settings(data));
