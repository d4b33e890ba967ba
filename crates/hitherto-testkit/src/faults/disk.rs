//! A disk that keeps what was synced, and of the rest what chance will have.
//!
//! A library in front of the system's notes every write and every sync of the server's database and journal. From
//! that log this makes what the disk may hold if the power fails at any moment of it: all that was written before the
//! last sync of a file; and of what was written to it since, each sector as it was before, as it was to be, or as
//! garbage, and a file that may be shorter.
//!
//! Invariant: only bytes that no completed sync covers are ever torn; a disk that loses what it has synced is broken,
//! and nothing that runs on it can promise anything. Damage to what lies elsewhere on the disk is not made here either.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempDir;

use super::server::Setup;
use super::shim;
use crate::loss::Chance;

/// What a disk writes as one.
const SECTOR: usize = 512;
/// Kind, file, offset and length of an entry, in the machine's own order of bytes.
const HEAD: usize = 24;

/// What a disk holds: the database, and its journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    files: [Vec<u8>; 2],
}

/// The disk of one server.
#[derive(Debug)]
pub struct Disk {
    library: PathBuf,
    file: PathBuf,
    log: PathBuf,
    /// What there was when the server was started last, and where the log stood.
    since: Mutex<(Image, usize)>,
    folder: TempDir,
}

/// One entry of the log.
#[derive(Debug)]
enum Entry<'a> {
    Write { file: usize, offset: usize, bytes: &'a [u8] },
    Sync { file: usize },
    Truncate { file: usize, length: usize },
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("hitherto-disk-").tempdir().expect("a folder");
        // As the kernel names it.
        let place = folder.path().canonicalize().expect("a folder");
        let library = shim::compile(&place, "disk", include_str!("disk.c"));
        let (file, log) = (place.join("chat.db"), place.join("writes.log"));
        Self { library, file, log, since: Mutex::default(), folder }
    }

    /// Where the database lies.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The log; how long it is says what had been written when something was acknowledged.
    pub fn log(&self) -> PathBuf {
        self.log.clone()
    }

    /// The setup of a server on this disk.
    #[must_use]
    pub fn equip(&self, setup: Setup) -> Setup {
        setup
            .variable("LD_PRELOAD", &self.library.to_string_lossy())
            .variable("FAULTS_DISK_FILE", &self.file.to_string_lossy())
            .variable("FAULTS_DISK_LOG", &self.log.to_string_lossy())
    }

    /// What the disk may hold if the power fails at so many moments since the server was started last, but for the
    /// time before the log was so long; each with the length of the log at that moment.
    pub fn moments(&self, from: u64, count: u64, chance: &mut Chance) -> Vec<(u64, Image)> {
        let (image, start) = self.since().clone();
        let log = fs::read(&self.log).expect("a log");
        let from = usize::try_from(from).unwrap().max(start);
        let span = (log.len() - from) as u64;
        let mut moments: Vec<usize> = (0..count).map(|_| from + chance.below(span) as usize).collect();
        moments.sort_unstable();
        let (mut player, mut images, mut at) = (Player::new(image), Vec::new(), start);
        let mut wanted = moments.into_iter().peekable();
        loop {
            let next = entry(&log, at);
            let end = next.as_ref().map_or(usize::MAX, |(_, end)| *end);
            while wanted.next_if(|moment| *moment < end).is_some() {
                images.push((at as u64, player.image(chance)));
            }
            let Some((entry, end)) = next else { return images };
            player.play(&entry);
            at = end;
        }
    }

    /// The power fails: once the server was killed, its files become what the disk may hold at the end.
    pub fn cut(&self, chance: &mut Chance) {
        let mut since = self.since();
        let mut log = fs::read(&self.log).expect("a log");
        let (mut player, mut at) = (Player::new(since.0.clone()), since.1);
        while let Some((entry, end)) = entry(&log, at) {
            player.play(&entry);
            at = end;
        }
        // A kill can tear the entry that was being written; the next server goes on after the last whole one.
        log.truncate(at);
        fs::write(&self.log, log).expect("a log");
        let image = player.image(chance);
        image.put(&self.file);
        *since = (image, at);
    }

    /// A place for one of [`Self::moments`].
    pub fn place(&self, image: &Image, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        image.put(&path);
        path
    }

    fn since(&self) -> MutexGuard<'_, (Image, usize)> {
        self.since.lock().unwrap()
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Image {
    /// Puts it where a server looks for it. The journal's index is made anew by whoever opens it.
    fn put(&self, path: &Path) {
        let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
        let [database, journal] = &self.files;
        fs::write(path, database).expect("a file");
        fs::write(beside("-wal"), journal).expect("a file");
        let _ = fs::remove_file(beside("-shm"));
    }
}

/// The entry at that place and where it ends; `None` if it is not there whole.
fn entry(log: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let head = log.get(at..at + HEAD)?;
    let half = |from: usize| u32::from_ne_bytes(head[from..from + 4].try_into().unwrap());
    let whole = |from: usize| u64::from_ne_bytes(head[from..from + 8].try_into().unwrap()) as usize;
    let (kind, file, offset, length) = (half(0), half(4) as usize - 1, whole(8), whole(16));
    let bytes = log.get(at + HEAD..at + HEAD + length)?;
    let entry = match kind {
        1 => Entry::Write { file, offset, bytes },
        2 => Entry::Sync { file },
        3 => Entry::Truncate { file, length: offset },
        other => panic!("the log of the disk has an entry of kind {other}"),
    };
    Some((entry, at + HEAD + length))
}

/// The disk at one moment of the log.
struct Player {
    synced: Image,
    /// What was done to each file since it was synced.
    since: [Vec<Change>; 2],
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// What becomes of what was not synced.
#[derive(Clone, Copy)]
enum Fate {
    /// All of it is there: the kill of a process, and no power cut.
    Kept,
    /// Nothing of it is.
    Gone,
    /// Each sector is there, or is not, or is garbage.
    Torn,
    /// Some of it is there, in order, the next sector is garbage, and the rest is missing.
    Tail,
}

impl Player {
    fn new(synced: Image) -> Self {
        Self { synced, since: [Vec::new(), Vec::new()] }
    }

    fn play(&mut self, entry: &Entry<'_>) {
        match *entry {
            Entry::Write { file, offset, bytes } => {
                self.since[file].push(Change::Write { offset, bytes: bytes.to_vec() });
            }
            Entry::Truncate { file, length } => self.since[file].push(Change::Truncate { length }),
            Entry::Sync { file } => {
                for change in self.since[file].drain(..) {
                    change.apply(&mut self.synced.files[file]);
                }
            }
        }
    }

    fn image(&self, chance: &mut Chance) -> Image {
        let mut image = self.synced.clone();
        for (file, since) in image.files.iter_mut().zip(&self.since) {
            match [Fate::Kept, Fate::Gone, Fate::Torn, Fate::Tail][chance.below(4) as usize] {
                Fate::Kept => since.iter().for_each(|change| change.apply(file)),
                Fate::Gone => {}
                Fate::Torn => since.iter().for_each(|change| change.tear(file, chance)),
                Fate::Tail => tail(file, since, chance),
            }
        }
        image
    }
}

/// Some changes, in order; then garbage, and the end.
fn tail(file: &mut Vec<u8>, since: &[Change], chance: &mut Chance) {
    let kept = chance.below(since.len() as u64 + 1) as usize;
    since[..kept].iter().for_each(|change| change.apply(file));
    if let Some(Change::Write { offset, bytes }) = since.get(kept) {
        let length = chance.below(bytes.len() as u64 + 1) as usize;
        put(file, *offset, &bytes[..length]);
        put(file, offset + length, &garbage(SECTOR.min(bytes.len() - length), chance));
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(file, *offset, bytes),
            Self::Truncate { length } => file.resize(*length, 0),
        }
    }

    /// Each sector by itself.
    fn tear(&self, file: &mut Vec<u8>, chance: &mut Chance) {
        let Self::Write { offset, bytes } = self else {
            if chance.percent(50) {
                self.apply(file);
            }
            return;
        };
        for (sector, at) in bytes.chunks(SECTOR).zip((*offset..).step_by(SECTOR)) {
            match chance.below(10) {
                0..5 => put(file, at, sector),
                5..8 => {}
                _ => put(file, at, &garbage(sector.len(), chance)),
            }
        }
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

fn garbage(length: usize, chance: &mut Chance) -> Vec<u8> {
    (0..length).map(|_| chance.any() as u8).collect()
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
