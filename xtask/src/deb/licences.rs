//! The licences of the libraries that the binary holds, as each of them came.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{of_file, read};
use crate::workspace;

/// A library's line, and the folder of its sources.
type Library = (String, PathBuf);

/// Every library with its licence, and every text of a licence once.
pub(super) fn all() -> Result<String, String> {
    let libraries = libraries()?;
    let mut texts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut without = Vec::new();
    for (line, folder) in &libraries {
        let found = texts_in(folder)?;
        if found.is_empty() {
            without.push(line.as_str());
        }
        for text in found {
            texts.entry(text).or_default().push(line);
        }
    }
    let mut out = String::from("The libraries that the binary holds, and their licences.\n\n");
    for (line, _) in &libraries {
        out.push_str(&format!("{line}\n"));
    }
    if !without.is_empty() {
        out.push_str("\nThese come without a text of their own, under the licence that is named above:\n\n");
        without.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
    for (text, lines) in texts {
        out.push_str(&format!("\n{}\n{}\n\n{}\n", "-".repeat(80), lines.join("\n"), text.trim_end()));
    }
    Ok(out)
}

/// All that is linked, by Cargo's own account.
fn libraries() -> Result<Vec<Library>, String> {
    let mut tree =
        workspace::cargo(&["tree", "--locked", "--package", "hitherto-server", "--edges", "normal"]);
    tree.args(["--prefix", "none", "--format", "{p}\t{l}\t{r}"]);
    let found = workspace::output(&mut tree).ok_or("`cargo tree` does not say what the binary holds")?;
    let sources = sources()?;
    let mut libraries: Vec<Library> = Vec::new();
    for line in found.lines() {
        let mut parts = line.trim_end_matches(" (*)").split('\t');
        let (name, licence, address) = (parts.next(), parts.next(), parts.next());
        let Some((name, version)) = name.and_then(|name| name.split_once(" v")) else { continue };
        // The project's own have their path behind the version.
        if version.contains(" (/") {
            continue;
        }
        let version = version.split(' ').next().unwrap_or(version);
        let folder =
            sources.iter().map(|folder| folder.join(format!("{name}-{version}"))).find(|at| at.is_dir());
        let folder = folder
            .ok_or_else(|| format!("the sources of {name} {version} are not where Cargo keeps them"))?;
        let (licence, address) = (licence.unwrap_or_default(), address.unwrap_or_default());
        libraries.push((format!("{name} {version}: {licence} {}", address.trim_end_matches(" (*)")), folder));
    }
    libraries.sort();
    libraries.dedup();
    if libraries.is_empty() { Err("`cargo tree` names no library".to_owned()) } else { Ok(libraries) }
}

/// Where Cargo unpacks what it fetches.
fn sources() -> Result<Vec<PathBuf>, String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folder = home.ok_or("there is no HOME")?.join("registry/src");
    let found = fs::read_dir(&folder).map_err(of_file(&folder))?;
    Ok(found.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

fn texts_in(folder: &Path) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).map_err(of_file(folder))? {
        let path = entry.map_err(of_file(folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
        let is_text = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"]
            .iter()
            .any(|begin| name.starts_with(begin));
        if is_text && path.is_file() {
            texts.push(read(&path)?);
        }
    }
    texts.sort();
    Ok(texts)
}
