//! A line of a file to import.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto_server::fuzzing::import(data));
