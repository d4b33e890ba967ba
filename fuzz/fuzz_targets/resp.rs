//! Bytes at the Redis port, at once and in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto_server::fuzzing::resp(data));
