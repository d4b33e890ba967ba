//! A value, a key, or a dump of keys, as another program keeps them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hitherto::fuzzing::layout(data));
