//! What Redis holds packed: the state of a session, its summaries, remembered appends, full names.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto::fuzzing::packed(data));
