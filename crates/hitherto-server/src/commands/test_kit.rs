//! What the tests of commands share: a store in a folder of its own, and streams that can be read back.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use hitherto::{ChatMemory, Clock, Message, SessionId};

use super::output::{Look, Output};
use crate::target::{AppendWith, Target};

/// An embedded store; it lives as long as the folder.
pub(crate) fn memory() -> (Target, tempfile::TempDir) {
    memory_at(Clock::default())
}

/// The same with a clock.
pub(crate) fn memory_at(clock: Clock) -> (Target, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap().with_clock(clock);
    (Target::Store(memory), folder)
}

/// The same with summaries.
pub(crate) fn summarised() -> (Target, tempfile::TempDir) {
    let (target, folder) = memory();
    let Target::Store(memory) = target else { panic!("a store") };
    let extractive = Arc::new(hitherto::summary::Extractive);
    (Target::Store(memory.with_summaries(Default::default(), extractive, None)), folder)
}

pub(crate) fn session(id: &str) -> SessionId {
    SessionId::parse(id).unwrap()
}

/// Appends messages as they stand.
pub(crate) async fn append_json(target: &Target, id: &str, messages: &[impl AsRef<str>]) {
    for some in messages.chunks(1000) {
        let messages =
            some.iter().map(|json| Message::parse(json.as_ref().to_owned().into()).unwrap()).collect();
        target.append(&session(id), messages, AppendWith::default()).await.unwrap();
    }
}

/// The lines of a real conversation.
pub(crate) fn apollo() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/apollo13-air-to-ground.jsonl");
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// An output that keeps what was written to it.
pub(crate) struct Captured {
    pub(crate) output: Output,
    out: Kept,
    err: Kept,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    pub(crate) fn new(input: &str, look: Look) -> Self {
        let (out, err) = (Kept::default(), Kept::default());
        let output = Output::new(out.clone(), err.clone(), Cursor::new(input.to_owned()), look);
        Self { output, out, err }
    }

    pub(crate) fn with_input(input: &str) -> Self {
        Self::new(input, Look::default())
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.out.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.err.0.lock().unwrap().clone()).unwrap()
    }
}

impl Default for Captured {
    fn default() -> Self {
        Self::with_input("")
    }
}
