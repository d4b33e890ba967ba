//! The files of the package, and the package.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{control, folder, licences, of_file, read, write};
use crate::workspace;

/// Makes the package of this binary, and gives the path of it.
pub(super) fn package(binary: &Path, debug: bool) -> Result<PathBuf, String> {
    let architecture = workspace::output(Command::new("dpkg").arg("--print-architecture"))
        .ok_or("`dpkg --print-architecture` says nothing")?;
    let version = env!("CARGO_PKG_VERSION");
    // Not to be taken for the one that is given away.
    let kind = if debug { "-debug-build" } else { "" };
    let package = folder().join(format!("hitherto_{version}_{}{kind}.deb", architecture.trim()));
    let tree = folder().join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(of_file(&tree))?;
    }
    // The time of the change that it was made from, so that the same sources make the same package.
    let time = workspace::output(
        Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(workspace::root()),
    );
    let time = time.as_deref().map_or("0", str::trim).to_owned();

    files(&tree, binary)?;
    documents(&tree, version, &time)?;
    control::files(&tree, version, architecture.trim())?;
    permissions(&tree)?;
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "--build"]).arg(&tree).arg(&package).env("SOURCE_DATE_EPOCH", &time);
    workspace::run(build.stdout(Stdio::null()))?;
    Ok(package)
}

fn files(tree: &Path, binary: &Path) -> Result<(), String> {
    let root = workspace::root();
    let packages = root.join("packages");
    let installed = tree.join("usr/bin/hitherto");
    write(&installed, &fs::read(binary).map_err(of_file(binary))?)?;
    workspace::run(Command::new("strip").args(["--strip-unneeded"]).arg(&installed))
        .map_err(|why| format!("{why}\nstrip comes with gcc (binutils)"))?;
    let unit = tree.join("usr/lib/systemd/system/hitherto.service");
    write(&unit, read(&packages.join("hitherto.service"))?.as_bytes())?;
    let settings = settings(&read(&root.join("docs/hitherto.toml"))?)?;
    write(&tree.join("etc/hitherto/hitherto.toml"), settings.as_bytes())?;
    gzip(&tree.join("usr/share/man/man1/hitherto.1"), &read(&packages.join("debian/hitherto.1"))?)?;
    for (shell, path) in [
        ("bash", "usr/share/bash-completion/completions/hitherto"),
        ("zsh", "usr/share/zsh/vendor-completions/_hitherto"),
        ("fish", "usr/share/fish/vendor_completions.d/hitherto.fish"),
    ] {
        let made = workspace::output(Command::new(binary).args(["completions", shell]))
            .ok_or_else(|| format!("{} makes no completions for {shell}", binary.display()))?;
        write(&tree.join(path), made.as_bytes())?;
    }
    Ok(())
}

/// The sample of settings, with the one value that differs for the service: commands of the administrator then find its
/// store, wherever they are run.
fn settings(sample: &str) -> Result<String, String> {
    let (before, after) = sample
        .split_once("# db = \"hitherto.db\"\n")
        .ok_or("docs/hitherto.toml has no line for db to replace")?;
    Ok(format!("{before}db = \"/var/lib/hitherto/hitherto.db\"\n{after}"))
}

fn documents(tree: &Path, version: &str, time: &str) -> Result<(), String> {
    let root = workspace::root();
    let here = tree.join("usr/share/doc/hitherto");
    for entry in fs::read_dir(root.join("docs")).map_err(of_file(&root))? {
        let path = entry.map_err(of_file(&root))?.path();
        if let (true, Some(name)) = (path.extension().is_some_and(|ending| ending == "md"), path.file_name())
        {
            write(&here.join(name), read(&path)?.as_bytes())?;
        }
    }
    write(&here.join("README.md"), read(&root.join("README.md"))?.as_bytes())?;
    write(&here.join("copyright"), read(&root.join("packages/debian/copyright"))?.as_bytes())?;
    gzip(&here.join("NEWS.md"), &read(&root.join("CHANGELOG.md"))?)?;
    gzip(&here.join("changelog"), &control::changelog(version, time)?)?;
    gzip(&here.join("third-party.txt"), &licences::all()?)?;
    // Those who look for settings there find them.
    let examples = here.join("examples");
    fs::create_dir_all(&examples).map_err(of_file(&examples))?;
    symlink("/etc/hitherto/hitherto.toml", examples.join("hitherto.toml")).map_err(of_file(&examples))
}

/// Writes a text, packed by `gzip` without a time in it.
fn gzip(path: &Path, text: &str) -> Result<(), String> {
    write(path, text.as_bytes())?;
    workspace::run(Command::new("gzip").args(["-9", "--no-name", "--force"]).arg(path))
}

/// Whatever this process may keep to itself, the files of the package can be read.
fn permissions(folder: &Path) -> Result<(), String> {
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(of_file(path))
    };
    mode(folder, 0o755)?;
    for entry in fs::read_dir(folder).map_err(of_file(folder))? {
        let path = entry.map_err(of_file(folder))?.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            permissions(&path)?;
        } else {
            let runs = ["usr/bin/hitherto", "DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm"];
            mode(&path, if runs.iter().any(|end| path.ends_with(end)) { 0o755 } else { 0o644 })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_has_its_store_where_services_have_it() {
        let sample = read(&workspace::root().join("docs/hitherto.toml")).unwrap_or_default();
        let settings = settings(&sample).unwrap_or_default();
        assert!(settings.contains("\ndb = \"/var/lib/hitherto/hitherto.db\"\n"), "{settings}");
        let set = settings.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(set.count(), 1, "nothing else is set");
    }
}
