//! A settings file, for `crate::fuzzing`.

use clap::Command;

use super::{Caller, Layers, Settings, flags_for};

/// A file: read, and resolved without flags and variables.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for caller in [Caller::Server, Caller::Client] {
        let flags = Command::new("hitherto").args(flags_for(caller)).try_get_matches_from(["hitherto"]);
        let Ok(mut layers) =
            flags.map_err(drop).and_then(|flags| Layers::gather(&flags, |_| None, caller).map_err(drop))
        else {
            panic!("the defaults are settings");
        };
        if layers.add_file(text, caller).is_ok() {
            let _ = Settings::resolve(&layers);
        }
    }
}
