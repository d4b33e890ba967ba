//! A message as a client sends it, and looking into it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto::fuzzing::message(data));
