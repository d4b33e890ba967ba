//! What the clients need: Node and Python, their packages, and the published files of two nodes.
//!
//! Everything lands in `target/clients`, where the project's own files are copied first, so that the source tree
//! stays as it is. What is installed there already, from the same lists, is kept.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::list::{Client, MAIN, REQUIREMENTS, Runtime};
use crate::{tools, workspace};

/// A program, and Debian's package that has it.
const PROGRAMS: [(&str, &str); 4] =
    [("node", "nodejs"), ("npm", "npm"), ("python3", "python3"), ("openssl", "openssl")];
/// What LangChain.js needs.
const NODE_IS_NEW_ENOUGH: [&str; 2] = ["-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"];
/// What the packages of `clients/py` need.
const PYTHON_IS_NEW_ENOUGH: [&str; 2] = ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"];
/// What was installed, in full: a copy of the lists that it came from.
const STAMP: &str = ".installed";
/// Made by installing, and so neither copied nor removed.
const MADE: [&str; 3] = ["node_modules", "published", STAMP];

/// Where everything of this command is.
pub(crate) fn folder() -> PathBuf {
    workspace::root().join("target/clients")
}

/// The Python of an environment.
pub(crate) fn python(environment: &str) -> PathBuf {
    folder().join("py").join(environment).join("bin/python")
}

/// Makes sure that the programs are there; installs Debian's packages of those that are not.
pub(crate) fn programs() -> Result<(), String> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| workspace::on_path(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    // Debian's Python makes no environments without a package of its own.
    if workspace::output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_none() {
        missing.push("python3-venv");
    }
    if !missing.is_empty() {
        tools::debian_packages(&missing, "the clients need")?;
    }
    for (program, test, version) in
        [("node", NODE_IS_NEW_ENOUGH, "20"), ("python3", PYTHON_IS_NEW_ENOUGH, "3.11")]
    {
        if workspace::output(Command::new(program).args(test)).is_none() {
            return Err(format!("the clients need {program} {version} or newer on PATH"));
        }
    }
    Ok(())
}

/// Installs what these clients need and is not there yet.
pub(crate) fn packages(clients: &[&Client]) -> Result<(), String> {
    let source = workspace::root().join("clients");
    copy(&source.join("js"), &folder().join("js"))?;
    copy(&source.join("py"), &folder().join("py/tests"))?;
    let needs = |runtime: Runtime| clients.iter().any(|client| client.runtime == runtime);
    let mut folders: Vec<&str> = Vec::new();
    for client in clients {
        if let Runtime::Node(name) = client.runtime
            && !folders.contains(&name)
        {
            folders.push(name);
        }
    }
    for name in folders {
        node_packages(name)?;
    }
    let across = clients.iter().any(|client| client.goes_across());
    for (environment, file) in REQUIREMENTS {
        if needs(Runtime::Python(environment)) || (across && environment == MAIN) {
            python_packages(environment, file)?;
        }
    }
    Ok(())
}

fn node_packages(name: &str) -> Result<(), String> {
    let here = folder().join("js").join(name);
    let lists: Vec<PathBuf> = ["package-lock.json", "published.json"]
        .iter()
        .map(|file| here.join(file))
        .filter(|file| file.exists())
        .collect();
    if lists.is_empty() {
        return Ok(());
    }
    once(&here, &lists, &format!("the packages of clients/js/{name}"), || {
        workspace::run(Command::new("npm").args(["ci", "--loglevel=error"]).current_dir(&here))?;
        if here.join("published.json").exists() {
            let mut fetch = Command::new("node");
            workspace::run(fetch.args(["../shared/fetch.js", "."]).current_dir(&here))?;
        }
        Ok(())
    })
}

fn python_packages(environment: &str, file: &str) -> Result<(), String> {
    let here = folder().join("py").join(environment);
    let list = folder().join("py/tests").join(file);
    environment_at(&here, &list, &format!("the packages of clients/py/{file}"))
}

/// A Python environment in that folder with the packages of that list.
pub(crate) fn environment(here: &Path, list: &Path, what: &str) -> Result<(), String> {
    programs()?;
    environment_at(here, list, what)
}

fn environment_at(here: &Path, list: &Path, what: &str) -> Result<(), String> {
    once(here, &[list.to_owned()], what, || {
        workspace::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(here))?;
        // Every package is named, so nothing is looked for; see the head of the file for what that allows.
        // What is loaded is compiled then, which is a small part of what is installed.
        let words = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-compile",
            "-r",
        ];
        workspace::run(Command::new(here.join("bin/python")).args(words).arg(list))
    })
}

/// Installs into a folder, unless that was done from the very same lists. Only what succeeds is remembered.
fn once(
    here: &Path,
    lists: &[PathBuf],
    what: &str,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let mut wanted = Vec::new();
    for list in lists {
        wanted.extend(fs::read(list).map_err(|e| format!("{}: {e}", list.display()))?);
    }
    let stamp = here.join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing {what} into {}", here.display());
    let start = Instant::now();
    install()?;
    fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    println!("installed {what} in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Makes the files of one folder those of the other; what was installed there stays.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    fs::create_dir_all(to).map_err(failed(to))?;
    for entry in fs::read_dir(to).map_err(failed(to))? {
        let path = entry.map_err(failed(to))?.path();
        // A file that is gone from the sources must not be tested any more.
        if path.is_file() && !is_made(&path) {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let path = entry.map_err(failed(from))?.path();
        let Some(name) = path.file_name().filter(|_| !is_made(&path)) else { continue };
        let target = to.join(name);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(failed(&path))?;
        }
    }
    Ok(())
}

fn is_made(path: &Path) -> bool {
    path.file_name().is_some_and(|name| MADE.iter().any(|made| OsStr::new(made) == name))
}
