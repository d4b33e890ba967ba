//! The append-only file of a Redis that was killed while it wrote to it.
//!
//! Redis cuts off a command that is torn when it loads the file, but where that command stood in a transaction, as
//! every effect of a script does, it leaves the beginning of the transaction (seen in 7.0.15): those commands are not
//! carried out then, but with the next transaction when the file is loaded once more. What `redis-check-aof --fix` does
//! is right, and so is this: whatever belongs to a transaction without an end goes.

use std::fs::{self, File};
use std::path::Path;

/// Cuts off what is torn at the end of the newest file of commands in the folder of a Redis that does not run.
pub(crate) fn mend(folder: &Path) {
    let Ok(files) = fs::read_dir(folder.join("appendonlydir")) else { return };
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .collect();
    files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    if let Some(newest) = files.last() {
        let end = whole(&fs::read(newest).unwrap());
        File::options().write(true).open(newest).unwrap().set_len(end as u64).unwrap();
    }
}

/// How long the part is that ends with a whole command outside of a transaction.
fn whole(bytes: &[u8]) -> usize {
    let (mut at, mut end, mut inside) = (0, 0, false);
    while let Some((name, next)) = command(bytes, at) {
        at = next;
        inside = match name.to_ascii_uppercase().as_slice() {
            b"MULTI" => true,
            b"EXEC" => false,
            _ => inside,
        };
        if !inside {
            end = at;
        }
    }
    end
}

/// The name of the command that begins there, and where it ends; nothing if it is not whole.
fn command(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (words, mut at) = number(bytes, at, b'*')?;
    let mut name = None;
    for _ in 0..words {
        let (length, begin) = number(bytes, at, b'$')?;
        let word = bytes.get(begin..begin + length)?;
        at = begin + length + 2;
        bytes.get(at - 2..at)?;
        name = name.or(Some(word));
    }
    Some((name?, at))
}

/// The number of a line that begins so, and where the line ends.
fn number(bytes: &[u8], at: usize, kind: u8) -> Option<(usize, usize)> {
    let line = bytes.get(at..)?;
    let end = line.iter().position(|byte| *byte == b'\n')?;
    let digits = line.strip_prefix(&[kind])?.get(..end.checked_sub(2)?)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, at + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_stays_whole_or_goes() {
        let push = "*3\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n$2\r\n\r\n\r\n";
        let transaction = format!("*1\r\n$5\r\nMULTI\r\n{push}{push}*1\r\n$4\r\nEXEC\r\n");
        let file = format!("{push}{transaction}");
        for cut in 0..=file.len() {
            let expected = match cut {
                cut if cut == file.len() => cut,
                cut if cut >= push.len() => push.len(),
                _ => 0,
            };
            assert_eq!(whole(&file.as_bytes()[..cut]), expected, "cut at {cut}");
        }
    }
}
