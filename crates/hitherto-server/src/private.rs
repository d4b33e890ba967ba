//! Files that are nobody else's to read: they hold what people said, or who did what.

use std::fs::OpenOptions;

/// Makes a file, where there is none, that its owner alone can read and write.
pub(crate) fn file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
