//! `cargo xtask fuzz`: every fuzz target for a while, from the corpus that the repository keeps.
//!
//! The folder `fuzz/` is laid out as cargo-fuzz has it, and a nightly toolchain can run it with that. Here the stable
//! one builds it: what libFuzzer needs of the compiler are marks of which code was reached, and those it can make.
//! Invariant: the kept corpus changes only where that is asked for.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

/// All targets; `fuzz/fuzz_targets` has a file for each.
const TARGETS: [&str; 10] =
    ["record", "packed", "message", "dialect", "layout", "glob", "resp", "http", "settings", "import"];

/// What makes the compiler leave the marks that libFuzzer reads, and lets the crates show what is fuzzed.
const MARKS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// One input may take so long, in seconds, and so much memory, in MiB.
const SLOW: &str = "-timeout=5";
const MEMORY: &str = "-rss_limit_mb=1024";
/// The longest input.
const LENGTH: &str = "-max_len=4096";
/// The most files that the repository keeps of a target: an ordinary test runs them all.
const MOST: usize = 32;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fuzz {
    seconds: u64,
    targets: Vec<String>,
    minimise: bool,
}

impl Fuzz {
    /// Reads `[--seconds N] [--target NAME]... [--minimise]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut fuzz = Self { seconds: 60, targets: Vec::new(), minimise: false };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--minimise" {
                fuzz.minimise = true;
                continue;
            }
            let value = rest.next().ok_or_else(|| format!("{name} has no value"))?;
            match name.as_str() {
                "--seconds" => {
                    fuzz.seconds =
                        value.parse().map_err(|_| format!("{name} takes a number, not {value:?}"))?;
                }
                "--target" if TARGETS.contains(&value.as_str()) => fuzz.targets.push(value.clone()),
                "--target" => {
                    return Err(format!("there is no target {value:?}; there are {}", TARGETS.join(", ")));
                }
                _ => return Err(format!("{name} {value} is not known here")),
            }
        }
        Ok(fuzz)
    }

    fn chosen(&self) -> impl Iterator<Item = &'static str> {
        TARGETS
            .into_iter()
            .filter(|target| self.targets.is_empty() || self.targets.iter().any(|chosen| chosen == target))
    }
}

pub(crate) fn run(fuzz: &Fuzz) -> Result<(), String> {
    let built = build(fuzz)?;
    let mut failed = Vec::new();
    for target in fuzz.chosen() {
        println!("\n== {target}, {} s", fuzz.seconds);
        if let Err(why) = one(fuzz, target, &built.join(target)) {
            println!("{why}");
            failed.push(target);
        }
    }
    if failed.is_empty() {
        println!("\nNothing was found.");
        return Ok(());
    }
    Err(format!(
        "{} found something; the inputs are in fuzz/artifacts: put each into fuzz/regressions, where an ordinary test runs it, \
         and mend what it shows",
        failed.join(", ")
    ))
}

/// Builds the targets, and says where they are.
fn build(fuzz: &Fuzz) -> Result<PathBuf, String> {
    let host = host()?;
    // A target is named, so that build scripts and macros, which run here, are without marks. It is not locked: the
    // versions are those of the project, which the lock file of `fuzz/` follows.
    let mut command = workspace::cargo(&["build", "--release", "--target", &host]);
    command.arg("--manifest-path").arg(workspace::root().join("fuzz/Cargo.toml"));
    for target in fuzz.chosen() {
        command.args(["--bin", target]);
    }
    command.env("RUSTFLAGS", MARKS).env_remove("CARGO_TARGET_DIR");
    workspace::run(&mut command).map_err(|why| {
        format!("{why}\nlibFuzzer is C++: install g++ or clang, which nothing else here needs")
    })?;
    Ok(workspace::root().join("fuzz/target").join(host).join("release"))
}

/// The machine's own triple.
fn host() -> Result<String, String> {
    let said = workspace::output(Command::new("rustc").arg("-vV")).ok_or("rustc does not run")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what it runs on".to_owned())
}

fn one(fuzz: &Fuzz, target: &str, binary: &Path) -> Result<(), String> {
    let folder = |name: &str| workspace::root().join("fuzz").join(name).join(target);
    let (kept, artifacts, found) = (folder("corpus"), folder("artifacts"), folder("target/found"));
    for folder in [&artifacts, &found] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut command = Command::new(binary);
    command.args([SLOW, MEMORY, LENGTH, "-print_final_stats=1", "-verbosity=0"]);
    command.arg(format!("-max_total_time={}", fuzz.seconds));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // What is new goes into the first folder.
    workspace::run(command.args([&found, &kept]))?;
    if fuzz.minimise { minimise(target, binary, &kept, &found) } else { Ok(()) }
}

/// Keeps of both folders the few files that together reach the most.
fn minimise(target: &str, binary: &Path, kept: &Path, found: &Path) -> Result<(), String> {
    let folder = workspace::root().join("fuzz/target/fewer").join(target);
    drop(fs::remove_dir_all(&folder));
    let (fewer, control) = (folder.join("all"), folder.join("control"));
    fs::create_dir_all(&fewer).map_err(|e| format!("{}: {e}", fewer.display()))?;
    // How often a place is reached does not count: by that, thousands of files have something of their own.
    let mut command = Command::new(binary);
    command.args(["-set_cover_merge=1", "-use_counters=0", "-verbosity=0", LENGTH]);
    command.arg(format!("-merge_control_file={}", control.display()));
    workspace::run(command.arg(&fewer).arg(kept).arg(found))?;
    let text = fs::read_to_string(&control).map_err(|e| format!("{}: {e}", control.display()))?;
    replace(kept, &best(&text, MOST)).map_err(|e| format!("{}: {e}", kept.display()))
}

/// Of the files in a merge's control file, those that reach the most, each chosen for what the ones before it do not
/// reach; of two that reach as much, the shorter.
///
/// The file has a count, another count, a name a line, and then of each file by its number `STARTED number size` and
/// `FT number place...`.
fn best(control: &str, most: usize) -> Vec<&Path> {
    let mut lines = control.lines();
    let count = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
    let names: Vec<&str> = lines.by_ref().skip(1).take(count).collect();
    let mut files: Vec<(&str, u64, HashSet<&str>)> =
        names.into_iter().map(|name| (name, 0, HashSet::new())).collect();
    for line in lines {
        let mut words = line.split_whitespace();
        let (kind, number) = (words.next(), words.next().and_then(|number| number.parse::<usize>().ok()));
        let Some((_, size, places)) = number.and_then(|number| files.get_mut(number)) else { continue };
        match kind {
            Some("STARTED") => *size = words.next().and_then(|size| size.parse().ok()).unwrap_or(0),
            Some("FT") => places.extend(words),
            _ => {}
        }
    }
    let (mut chosen, mut reached) = (Vec::new(), HashSet::new());
    while chosen.len() < most {
        for (_, _, places) in &mut files {
            places.retain(|place| !reached.contains(place));
        }
        let next = files.iter().max_by_key(|(name, size, places)| (places.len(), Reverse((*size, *name))));
        let Some((name, _, places)) = next.filter(|(_, _, places)| !places.is_empty()) else { break };
        chosen.push(Path::new(*name));
        reached.extend(places.iter().copied());
    }
    chosen
}

/// Has these files in the folder and no others, by the first letters of their names: what libFuzzer calls them by is
/// their hash.
fn replace(kept: &Path, files: &[&Path]) -> std::io::Result<()> {
    let read = |file: &&Path| {
        let name: String = file.file_name().unwrap_or_default().to_string_lossy().chars().take(12).collect();
        Ok((name, fs::read(file)?))
    };
    // Some of them lie in that folder.
    let files = files.iter().map(read).collect::<std::io::Result<Vec<_>>>()?;
    fs::remove_dir_all(kept)?;
    fs::create_dir_all(kept)?;
    files.into_iter().try_for_each(|(name, bytes)| fs::write(kept.join(name), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood() {
        let parse = |line: &str| Fuzz::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let fuzz = |seconds, targets: &[&str], minimise| {
            Ok(Fuzz {
                seconds,
                targets: targets.iter().map(|target| (*target).to_owned()).collect(),
                minimise,
            })
        };
        assert_eq!(parse(""), fuzz(60, &[], false));
        assert_eq!(parse("--target resp --seconds 5 --minimise"), fuzz(5, &["resp"], true));
        for line in ["--seconds", "--seconds x", "--target nothing", "resp"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_reaches_the_most_is_kept() {
        let control = "5\n0\nf/long\nf/short\nf/more\nf/same\nf/none\nSTARTED 0 9\nFT 0 1 2 3\nCOV 0 1 2 3\n\
            STARTED 1 4\nFT 1 1 2 3\nCOV 1\nSTARTED 2 2\nFT 2 3 4\nCOV 2 4\nSTARTED 3 1\nFT 3 1\nSTARTED 4 1\n";
        assert_eq!(best(control, 9), [Path::new("f/short"), Path::new("f/more")]);
        assert_eq!(best(control, 1), [Path::new("f/short")]);
        assert!(best("", 9).is_empty());
    }

    #[test]
    fn every_target_is_run_and_has_a_corpus() {
        let fuzz = workspace::root().join("fuzz");
        let mut files: Vec<_> = fs::read_dir(fuzz.join("fuzz_targets"))
            .expect("targets")
            .filter_map(|file| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned()))
            .collect();
        files.sort();
        let mut targets = TARGETS.to_vec();
        targets.sort_unstable();
        assert_eq!(files, targets);
        let mut size = 0;
        for target in TARGETS {
            let corpus: Vec<_> =
                fs::read_dir(fuzz.join("corpus").join(target)).expect(target).flatten().collect();
            assert!((1..=MOST).contains(&corpus.len()), "{target}: {} files", corpus.len());
            size += corpus.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum::<u64>();
        }
        assert!(size < 300 << 10, "the kept corpus has {size} bytes");
    }
}
