//! The yardstick for durable appends: one `fdatasync` for each, on the same disk.
//!
//! That is what a store without group commit can do at most; one with it does better the more writers wait.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;

use crate::cpu;
use crate::load::Tally;
use crate::process;

/// About one exchange.
const RECORD: [u8; 1024] = [b'x'; 1024];

/// The loop and its file.
pub(crate) struct Durable {
    file: NamedTempFile,
}

impl Durable {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        // With a name: a nameless file may spare the journal work that a real store has.
        let file = NamedTempFile::new_in(dir).with_context(|| format!("a file in {}", dir.display()))?;
        Ok(Durable { file })
    }

    /// Appends for so long, each made durable before the next.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Tally> {
        let (begin, cpu) = (Instant::now(), cpu::of_this_thread()?);
        let mut ops = 0;
        while begin.elapsed() < duration {
            ensure!(!process::stopped_by_signal(), "stopped by a signal");
            self.file.write_all(&RECORD)?;
            self.file.as_file().sync_data()?;
            ops += 1;
        }
        Ok(Tally { ops, elapsed: begin.elapsed(), cpu: cpu::of_this_thread()? - cpu })
    }
}
