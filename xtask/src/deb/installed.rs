//! The test: the package is installed by `dpkg` into a root folder of its own, started there as an unprivileged user, used,
//! upgraded, removed and purged.
//!
//! Invariant: what people said is there after each of these.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::running::{Service, USER};
use super::{folder, of_file, read, write};
use crate::workspace;

/// Where the unit lies in a root.
const UNIT: &str = "usr/lib/systemd/system/hitherto.service";
const SETTINGS: &str = "etc/hitherto/hitherto.toml";
/// How exposed a service may be by systemd's own account, of 100.
const EXPOSURE: &str = "15";

/// Installs the package and uses what was installed.
pub(super) fn test(package: &Path) -> Result<(), String> {
    let root = folder().join("root");
    make_root(&root)?;
    dpkg(&root, &["--install"], Some(package))?;
    for path in [
        "usr/bin/hitherto",
        UNIT,
        SETTINGS,
        "usr/share/man/man1/hitherto.1.gz",
        "usr/share/doc/hitherto/copyright",
    ] {
        expect(root.join(path).is_file(), &format!("{path} is installed"))?;
    }
    expect(!root.join("var/lib/hitherto").exists(), "systemd makes the state's folder, not the package")?;
    unit(&root)?;

    // As systemd does it: a folder for the state, for a user who exists while the service runs.
    let state = root.join("var/lib/hitherto");
    fs::create_dir_all(&state).map_err(of_file(&state))?;
    workspace::run(Command::new("chown").arg(USER).arg(&state))?;
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).map_err(of_file(&state))?;
    libraries(&root)?;
    let service = Service::start(&root, &read(&root.join(UNIT))?)?;
    service.append("s", "first")?;
    service.reload()?;
    expect(service.count("s")? == 1, "what was appended is read back")?;
    service.stop()?;

    // The administrator changes the settings; a newer package is installed over the old one.
    let settings = root.join(SETTINGS);
    let changed = read(&settings)? + "\nwindow = 7\n";
    write(&settings, changed.as_bytes())?;
    dpkg(&root, &["--install"], Some(package))?;
    expect(read(&settings)? == changed, "an upgrade keeps the administrator's settings")?;
    let service = Service::start(&root, &read(&root.join(UNIT))?)?;
    expect(service.count("s")? == 1, "what was said is there after an upgrade")?;
    service.append("s", "second")?;
    service.stop()?;

    dpkg(&root, &["--remove", "hitherto"], None)?;
    expect(!root.join("usr/bin/hitherto").exists(), "removing takes the binary away")?;
    expect(settings.exists(), "removing keeps the settings")?;
    expect(state.join("hitherto.db").exists(), "removing keeps what was said")?;
    let said = dpkg(&root, &["--purge", "hitherto"], None)?;
    expect(!settings.exists(), "purging takes the settings away")?;
    expect(state.join("hitherto.db").exists(), "purging keeps what was said")?;
    expect(said.contains("the conversations in /var/lib/hitherto are kept"), "purging says so")?;

    dpkg(&root, &["--install"], Some(package))?;
    let service = Service::start(&root, &read(&root.join(UNIT))?)?;
    expect(service.count("s")? == 2, "a package that comes back finds what was said")?;
    service.stop()?;
    lint(package);
    println!(
        "installed, started, upgraded, removed, purged and installed again: nothing that was said is lost"
    );
    Ok(())
}

fn expect(is: bool, what: &str) -> Result<(), String> {
    if is {
        println!("  {what}");
        Ok(())
    } else {
        Err(format!("not so: {what}"))
    }
}

/// An empty system, which has those packages that the machine has, so that dependencies are looked at.
fn make_root(root: &Path) -> Result<(), String> {
    if root.exists() {
        fs::remove_dir_all(root).map_err(of_file(root))?;
    }
    for path in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log", "run", "tmp"] {
        let path = root.join(path);
        fs::create_dir_all(&path).map_err(of_file(&path))?;
    }
    let status = Path::new("/var/lib/dpkg/status");
    write(&root.join("var/lib/dpkg/status"), read(status)?.as_bytes())
}

/// Runs `dpkg` on that root, and gives what it said. Scripts of the package run outside of it and are told where it is.
fn dpkg(root: &Path, words: &[&str], package: Option<&Path>) -> Result<String, String> {
    let mut dpkg = Command::new("dpkg");
    dpkg.arg("--root").arg(root).args(["--force-script-chrootless", "--no-debsig"]);
    dpkg.arg(format!("--log={}", root.join("var/log/dpkg.log").display()));
    dpkg.args(words).args(package).env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
    let line = workspace::line_of(&dpkg);
    println!("{line}");
    let output = dpkg.output().map_err(|error| format!("dpkg: {error}"))?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("`{line}` ended with {}\n{said}", output.status))
    }
}

/// Copies what the binary is linked with, for it runs in the root.
fn libraries(root: &Path) -> Result<(), String> {
    let binary = root.join("usr/bin/hitherto");
    let listed =
        workspace::output(Command::new("ldd").arg(&binary)).ok_or("`ldd` does not say what is linked")?;
    let paths = listed.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    for path in paths {
        let target: PathBuf = root.join(path.trim_start_matches('/'));
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(of_file(folder))?;
        }
        fs::copy(path, &target).map_err(of_file(&target))?;
    }
    Ok(())
}

/// What systemd itself thinks of the unit, where there is systemd.
fn unit(root: &Path) -> Result<(), String> {
    if workspace::on_path("systemd-analyze").is_none() {
        println!("  SKIPPED: the unit is not verified, there is no systemd-analyze here");
        return Ok(());
    }
    // What the unit calls besides, and every system has.
    let kill = root.join("bin/kill");
    fs::create_dir_all(root.join("bin"))
        .and_then(|()| fs::copy("/bin/kill", &kill))
        .map_err(of_file(&kill))?;
    let unit = root.join(UNIT);
    let mut analyze = Command::new("systemd-analyze");
    analyze
        .args(["security", "--no-pager", "--offline=true"])
        .arg(format!("--threshold={EXPOSURE}"))
        .arg(&unit);
    let output = analyze.output().map_err(|error| format!("systemd-analyze: {error}"))?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let last =
        said.lines().rfind(|line| line.contains("exposure level")).unwrap_or("it says nothing").to_owned();
    expect(output.status.success(), &format!("systemd: {}", last.trim_start_matches(['→', ' '])))?;
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(format!("--root={}", root.display()))
        .arg("hitherto.service")
        .output()
        .map_err(|error| format!("systemd-analyze: {error}"))?;
    let said = String::from_utf8_lossy(&verify.stderr).into_owned();
    expect(
        verify.status.success() && !said.contains("hitherto.service"),
        &format!("systemd finds no fault in the unit {said}"),
    )
}

/// What Debian's own critic says, where it is there. It judges; what it says is for people.
fn lint(package: &Path) {
    if workspace::on_path("lintian").is_none() {
        println!("  SKIPPED: lintian is not here, and did not look at the package");
        return;
    }
    let said = workspace::output(
        Command::new("lintian").args(["--fail-on", "none", "--tag-display-limit", "0"]).arg(package),
    );
    let said = said.map_or_else(|| "it failed".to_owned(), |said| said.trim().to_owned());
    println!("  lintian: {}", if said.is_empty() { "no complaint" } else { said.as_str() });
}
