//! What the fuzz targets of `fuzz/` call, and what must hold of any bytes; their corpus is run by an ordinary test.
//!
//! Invariant: a function here panics only where the code that it tries is wrong.

pub use crate::commands::import::fuzzing::import;
pub use crate::http::fuzzing::http;
pub use crate::resp::fuzzing::resp;
pub use crate::settings::fuzzing::settings;

#[cfg(test)]
mod tests {
    /// A target's name, and what it runs.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn what_was_found_once_is_not_found_again() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let targets: [Target; 4] = [
            ("resp", super::resp),
            ("http", super::http),
            ("settings", super::settings),
            ("import", super::import),
        ];
        for (target, run) in targets {
            let files: Vec<_> = std::fs::read_dir(folder.join("corpus").join(target)).unwrap().collect();
            assert!(!files.is_empty(), "{target} has a corpus");
            let regressions =
                std::fs::read_dir(folder.join("regressions").join(target)).into_iter().flatten();
            for file in files.into_iter().chain(regressions) {
                run(&std::fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
