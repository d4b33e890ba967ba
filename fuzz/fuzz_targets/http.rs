//! Paths, ids and queries of requests.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto_server::fuzzing::http(data));
