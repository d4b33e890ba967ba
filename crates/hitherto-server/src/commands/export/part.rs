//! The file that an export writes: under another name until it is whole.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hitherto::Seq;

use crate::private;
use crate::target::members;

/// A file that is not whole yet.
#[derive(Debug)]
pub(crate) struct Part {
    file: BufWriter<File>,
    path: PathBuf,
    whole: PathBuf,
}

/// The last message of a session that a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exported {
    /// Its sequence number.
    pub(crate) seq: Seq,
    /// Its id.
    pub(crate) id: String,
}

impl Part {
    /// Begins the file, or with `resume` goes on with what there is of it and says what that is.
    ///
    /// # Errors
    /// If the file cannot be written, or what there is of it cannot be read.
    pub(crate) fn open(
        whole: Option<&Path>,
        resume: bool,
    ) -> anyhow::Result<(Option<Self>, HashMap<String, Exported>)> {
        let Some(whole) = whole else {
            return Ok((None, HashMap::new()));
        };
        let mut path = OsString::from(whole);
        path.push(".part");
        let path = PathBuf::from(path);
        let cannot = || format!("{} cannot be written", path.display());
        let mut options = private::file();
        let mut file = options.read(true).write(true).truncate(!resume).open(&path).with_context(cannot)?;
        let exported = if resume { take_up(&mut file).with_context(cannot)? } else { HashMap::new() };
        let whole = whole.to_owned();
        Ok((Some(Self { file: BufWriter::new(file), path, whole }), exported))
    }

    /// Where the part lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes lines. They are in the file when this returns, so that an interruption loses none.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn write(&mut self, lines: &[u8]) -> anyhow::Result<()> {
        let cannot = || format!("{} cannot be written", self.path.display());
        self.file.write_all(lines).and_then(|()| self.file.flush()).with_context(cannot)
    }

    /// Gives the file its name, once it is safely on disk.
    ///
    /// # Errors
    /// If it cannot be written or renamed.
    pub(crate) fn finish(mut self) -> anyhow::Result<PathBuf> {
        let cannot = || format!("{} cannot be written", self.whole.display());
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).with_context(cannot)?;
        std::fs::rename(&self.path, &self.whole).with_context(cannot)?;
        Ok(self.whole)
    }
}

/// Reads what there is, and cuts off a last line that was not written whole.
fn take_up(file: &mut File) -> anyhow::Result<HashMap<String, Exported>> {
    let mut exported = HashMap::new();
    let mut reader = BufReader::new(&*file);
    let (mut line, mut good) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        let Some((session, last)) = line.strip_suffix(b"\n").and_then(read_line) else {
            break;
        };
        exported.insert(session, last);
        good += read as u64;
    }
    file.set_len(good)?;
    file.seek(SeekFrom::Start(good))?;
    Ok(exported)
}

fn read_line(line: &[u8]) -> Option<(String, Exported)> {
    let json = std::str::from_utf8(line).ok()?;
    let (mut session, mut seq) = (None, None);
    // The first of each: a message may have a field `session` of its own behind it.
    for member in members(json).ok()? {
        match &*member.name {
            "session" if session.is_none() => session = serde_json::from_str(member.value).ok(),
            "seq" => seq = serde_json::from_str(member.value).ok(),
            _ => {}
        }
    }
    Some((session?, Exported { seq: seq?, id: id(json)? }))
}

/// The id of a message, raw.
pub(super) fn id(json: &str) -> Option<String> {
    let members = members(json).ok()?;
    members.iter().find(|member| member.name == "id").map(|member| member.value.to_owned())
}
