//! A stored record: decoded, written, decoded.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto::fuzzing::record(data));
