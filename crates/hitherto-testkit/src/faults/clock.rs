//! A server's clock, set back and forward while it runs.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use tempfile::TempDir;

use super::server::Setup;
use super::shim;

/// The clock of the servers that are [equipped](Self::equip) with it. It is right until it is set.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
    ahead: File,
    _folder: TempDir,
}

impl Clock {
    /// A clock that is right.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("hitherto-clock-").tempdir().expect("a folder");
        let library = shim::compile(folder.path(), "clock", include_str!("clock.c"));
        let file = folder.path().join("ahead");
        let ahead = File::create(&file).expect("a file of our own");
        let clock = Self { library, file, ahead, _folder: folder };
        clock.set(0);
        clock
    }

    /// The setup of a server that goes by this clock.
    #[must_use]
    pub fn equip(&self, setup: Setup) -> Setup {
        let (library, file) = (self.library.to_string_lossy(), self.file.to_string_lossy());
        setup.variable("LD_PRELOAD", &library).variable("FAULTS_CLOCK", &file)
    }

    /// Sets it: so many milliseconds ahead of the right time, or behind it. It holds from now on.
    pub fn set(&self, ahead_ms: i64) {
        self.ahead.write_all_at(&ahead_ms.to_ne_bytes(), 0).expect("a file of our own");
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
