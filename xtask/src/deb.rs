//! `cargo xtask deb`: the Debian package, and the test that installs it and starts what was installed.
//!
//! Invariant: the package is made by Debian's own `dpkg-deb` and installed by Debian's own `dpkg`; nothing of the machine
//! changes, for the test has a root folder of its own.

mod built;
mod control;
mod installed;
mod licences;
mod running;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

/// What `cargo xtask deb` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Deb {
    /// Whether the binary is the one that tests use, which is there sooner.
    debug_build: bool,
    /// Whether the package is installed and started afterwards.
    test: bool,
}

impl Deb {
    /// What the check runs: the test, with the binary that the other tests have built.
    pub(crate) const CHECK: Self = Self { debug_build: true, test: true };

    /// Reads the arguments.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut deb = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--debug-build" => deb.debug_build = true,
                "--test" => deb.test = true,
                other => {
                    return Err(format!("{other:?} is not known here, only --debug-build and --test are"));
                }
            }
        }
        Ok(deb)
    }
}

/// Why the package cannot be made and tested here, if it cannot.
pub(crate) fn impossible() -> Option<&'static str> {
    if workspace::on_path("dpkg-deb").is_none() {
        return Some("there is no dpkg-deb: this needs Debian, or a system made of it");
    }
    None
}

/// Why what was installed cannot be started here, if it cannot.
pub(crate) fn untestable() -> Option<&'static str> {
    impossible().or_else(|| {
        let id = workspace::output(Command::new("id").arg("-u")).unwrap_or_default();
        (id.trim() != "0").then_some("installing into another root needs root")
    })
}

pub(crate) fn run(deb: &Deb) -> Result<(), String> {
    if let Some(why) = impossible() {
        return Err(why.to_owned());
    }
    let mut build = workspace::cargo(&["build", "--locked", "--package", "hitherto-server"]);
    if !deb.debug_build {
        build.arg("--release");
    }
    workspace::run(&mut build)?;
    let profile = if deb.debug_build { "debug" } else { "release" };
    let binary = workspace::target_folder().join(profile).join("hitherto");
    let package = built::package(&binary, deb.debug_build)?;
    println!("{}", package.display());
    if deb.test {
        if let Some(why) = untestable() {
            return Err(why.to_owned());
        }
        installed::test(&package)?;
    }
    Ok(())
}

/// Where packages are made.
fn folder() -> PathBuf {
    workspace::root().join("target/debian")
}

/// What went wrong with a file.
fn of_file(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(of_file(path))
}

fn write(path: &Path, text: &[u8]) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(of_file(folder))?;
    }
    fs::write(path, text).map_err(of_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_known_or_refused() {
        let parse =
            |line: &str| Deb::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).ok();
        assert_eq!(parse(""), Some(Deb::default()));
        assert_eq!(parse("--test --debug-build"), Some(Deb::CHECK));
        assert_eq!(parse("--tset"), None);
    }
}
