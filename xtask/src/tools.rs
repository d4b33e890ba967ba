//! The tools that checking needs, pinned where a newer one could say something else.

use std::fs;
use std::process::Command;
use std::time::Instant;

use crate::workspace;

/// Any version runs the tests; this one is installed when there is none.
const NEXTEST: &str = "0.9.143";
/// Its lists and its settings change between versions, so it is always this one.
const DENY: &str = "0.20.2";

/// Makes sure that rustfmt and clippy are there.
pub(crate) fn rust_components() -> Result<(), String> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if is_there(subcommand) {
            continue;
        }
        println!("{component}: installing with `rustup component add {component}`");
        let added = workspace::run(Command::new("rustup").args(["component", "add", component]));
        added.map_err(|e| {
            format!("{e}\n`cargo {subcommand}` is missing: install {component} for this Rust")
        })?;
    }
    Ok(())
}

/// curl, with which a test tries the lines that `serve --demo` prints; from Debian's packages if it is missing.
pub(crate) fn curl() -> Result<(), String> {
    if workspace::on_path("curl").is_some() {
        return Ok(());
    }
    debian_packages(&["curl"], "a test needs")
}

/// Installs Debian's packages of programs that are missing. `whose` begins the error when that fails.
pub(crate) fn debian_packages(missing: &[&str], whose: &str) -> Result<(), String> {
    let names = missing.join(", ");
    println!("{names}: not there; installing Debian's packages");
    workspace::run(Command::new("apt-get").args(["update", "-qq"]))
        .and_then(|()| {
            let mut install = Command::new("apt-get");
            workspace::run(install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing))
        })
        .map_err(|why| format!("{whose} {names}, which cannot be installed ({why}); install it by hand"))
}

/// Makes sure that there is a `cargo nextest`.
pub(crate) fn nextest() -> Result<(), String> {
    if is_there("nextest") { Ok(()) } else { install("cargo-nextest", NEXTEST) }
}

/// Makes sure that `cargo deny` is the pinned one.
pub(crate) fn deny() -> Result<(), String> {
    let said = workspace::output(&mut workspace::cargo(&["deny", "--version"])).unwrap_or_default();
    if said.split_whitespace().any(|word| word == DENY) { Ok(()) } else { install("cargo-deny", DENY) }
}

fn is_there(subcommand: &str) -> bool {
    workspace::output(&mut workspace::cargo(&[subcommand, "--version"])).is_some()
}

fn install(name: &str, version: &str) -> Result<(), String> {
    let folder = workspace::tools_folder();
    println!(
        "{name}: installing {version} into {} (built from source, once: five minutes, or far more on a busy machine)",
        folder.display()
    );
    let start = Instant::now();
    let build = folder.join("build");
    workspace::run(
        workspace::cargo(&["install", "--locked", name, "--version", version, "--root"])
            .arg(&folder)
            // Apart from the workspace's own, and gone afterwards: it is large and of no more use.
            .env("CARGO_TARGET_DIR", &build),
    )?;
    if let Err(e) = fs::remove_dir_all(&build) {
        println!("{name}: {} could not be removed: {e}", build.display());
    }
    println!("{name}: installed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
