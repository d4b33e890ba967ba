//! The yardstick for durable appends: one `fdatasync` for each, on the same disk.
//!
//! That is what a store without group commit can do at most; one with it does better the more writers wait.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cpu;
use crate::process;

/// About one exchange.
const RECORD: [u8; 1024] = [b'x'; 1024];

/// Appends that were made durable one by one, the time for them, and the processor time.
pub(crate) fn run(dir: &Path, duration: Duration) -> Result<(u64, Duration, Duration)> {
    // With a name: a nameless file may spare the journal work that a real store has.
    let named =
        tempfile::NamedTempFile::new_in(dir).with_context(|| format!("a file in {}", dir.display()))?;
    let mut file = named.as_file();
    let (begin, cpu) = (Instant::now(), cpu::of_this_thread()?);
    let mut appends = 0;
    while begin.elapsed() < duration {
        ensure!(!process::stopped_by_signal(), "stopped by a signal");
        file.write_all(&RECORD)?;
        file.sync_data()?;
        appends += 1;
    }
    Ok((appends, begin.elapsed(), cpu::of_this_thread()? - cpu))
}
