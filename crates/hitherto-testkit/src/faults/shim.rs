//! Libraries that change what a server sees of the machine, made from C with the compiler that the project needs
//! anyway, and loaded before the system's own: the server itself is the one that people run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a library into that folder.
///
/// # Panics
/// If there is no C compiler.
pub(super) fn compile(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (code, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    std::fs::write(&code, source).expect("a file of our own");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&code)
        .output()
        .unwrap_or_else(|error| panic!("{} cannot be run: {error}", compiler.display()));
    assert!(output.status.success(), "{name}.c: {}", String::from_utf8_lossy(&output.stderr));
    library
}
