//! What `dpkg` is told of the package.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{of_file, read, write};
use crate::workspace;

/// The control file, the scripts, and the list of files that belong to the administrator.
pub(super) fn files(tree: &Path, version: &str, architecture: &str) -> Result<(), String> {
    let source = workspace::root().join("packages/debian");
    let binary = tree.join("usr/bin/hitherto");
    let glibc = glibc(&fs::read(&binary).map_err(of_file(&binary))?)
        .ok_or("the binary names no version of the C library")?;
    let size = size(tree)?.div_ceil(1024);
    let control = read(&source.join("control.in"))?
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", architecture)
        .replace("@GLIBC@", &format!("{}.{}", glibc.0, glibc.1))
        .replace("@SIZE@", &size.to_string());
    let here = tree.join("DEBIAN");
    write(&here.join("control"), control.as_bytes())?;
    write(&here.join("conffiles"), b"/etc/hitherto/hitherto.toml\n")?;
    for name in ["postinst", "prerm", "postrm"] {
        let path = here.join(name);
        write(&path, read(&source.join(name))?.as_bytes())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(of_file(&path))?;
    }
    sums(tree)
}

/// The newest version of the C library that the binary asks for. The names stand in it as text.
fn glibc(binary: &[u8]) -> Option<(u32, u32)> {
    let prefix = b"GLIBC_";
    let versions = binary.windows(prefix.len()).enumerate().filter(|(_, window)| window == prefix);
    let number = |text: &str| text.parse::<u32>().ok();
    versions
        .filter_map(|(place, _)| {
            let rest = binary.get(place + prefix.len()..)?;
            let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
            let text = std::str::from_utf8(rest.get(..end)?).ok()?;
            let mut parts = text.split('.');
            Some((number(parts.next()?)?, number(parts.next()?)?))
        })
        .max()
}

/// How many bytes the files are together.
fn size(folder: &Path) -> Result<u64, String> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(of_file(folder))? {
        let path = entry.map_err(of_file(folder))?.path();
        let found = path.symlink_metadata().map_err(of_file(&path))?;
        bytes += if found.is_dir() { size(&path)? } else { found.len() };
    }
    Ok(bytes)
}

fn sums(tree: &Path) -> Result<(), String> {
    let find = "find . -path ./DEBIAN -prune -o -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 md5sum";
    let sums = workspace::output(Command::new("sh").args(["-c", find]).current_dir(tree))
        .ok_or("md5sum did not sum up the files of the package")?;
    write(&tree.join("DEBIAN/md5sums"), sums.as_bytes())
}

/// The changelog as Debian's tools read it. What changed for users is in NEWS.md beside it.
pub(super) fn changelog(version: &str, time: &str) -> Result<String, String> {
    let date =
        Command::new("date").args(["--utc", "-R", "-d", &format!("@{time}")]).env("LC_ALL", "C").output();
    let date = date.map_err(|error| format!("date: {error}"))?;
    let date = String::from_utf8_lossy(&date.stdout).trim().to_owned();
    Ok(format!(
        "hitherto ({version}) unstable; urgency=medium\n\n  * What changed is in NEWS.md.\n\n \
         -- Hitherto contributors <packages@hitherto.invalid>  {date}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_the_c_library_is_what_is_needed() {
        assert_eq!(glibc(b"..GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0"), Some((2, 34)));
        assert_eq!(glibc(b"nothing"), None);
    }
}
