//! A glob and a text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto::fuzzing::glob(data));
