//! One who writes to a session and does not give up, as a sensible client does; and what is checked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::{AppendOptions, ChatMemory, Direction, Error, Message, SessionId};
use tokio::task::JoinHandle;

/// How much later than its deadline a call may end on a machine that is busy.
pub(crate) const SLACK: Duration = Duration::from_secs(3);

pub(crate) fn session(name: &str) -> SessionId {
    SessionId::parse(name).unwrap()
}

/// The list of a session's records, as `docs/storage.md` names it.
pub(crate) fn log(name: &str) -> String {
    format!("hitherto:{{7:default:12:chat_history:{}:{name}}}:log", name.len())
}

pub(crate) fn options(url: &str) -> RedisOptions {
    RedisOptions::new(url)
}

pub(crate) fn memory(options: RedisOptions) -> ChatMemory {
    ChatMemory::new(Arc::new(RedisStore::new(options).unwrap()))
}

pub(crate) async fn append(memory: &ChatMemory, to: &str, text: &str) -> Result<u64, Error> {
    let appended = memory.append(&session(to), vec![Message::user(text)], &AppendOptions::default()).await;
    appended.map(|appended| appended.first_seq)
}

pub(crate) async fn append_once(memory: &ChatMemory, to: &str, text: &str) -> Result<(u64, bool), Error> {
    let mut options = AppendOptions::default();
    options.idempotency_key = Some(text.to_owned());
    let appended = memory.append(&session(to), vec![Message::user(text)], &options).await?;
    Ok((appended.first_seq, appended.repeated))
}

pub(crate) async fn texts(memory: &ChatMemory, of: &str) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), 0);
    loop {
        let page = memory.messages(&session(of), Direction::After(after), 1000).await.unwrap();
        texts.extend(page.messages.iter().map(|stored| stored.message.text()));
        match page.last_seq() {
            Some(last) if page.more => after = last,
            _ => return texts,
        }
    }
}

/// Writes one message after another, each with its idempotency key, until it is stored.
pub(crate) struct Writer {
    stop: Arc<AtomicBool>,
    writing: JoinHandle<Written>,
    memory: ChatMemory,
    to: &'static str,
}

/// What a writer did.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) acknowledged: usize,
    pub(crate) errors: Vec<Error>,
}

impl Writer {
    pub(crate) fn start(memory: &ChatMemory, to: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let writing = tokio::spawn(write(memory.clone(), to, Arc::clone(&stop)));
        Self { stop, writing, memory: memory.clone(), to }
    }

    /// Lets it finish what it writes, and checks that every message is there, once, in order.
    pub(crate) async fn stop(self) -> Written {
        self.stop.store(true, Ordering::SeqCst);
        let written = self.writing.await.unwrap();
        let expected: Vec<String> = (0..written.acknowledged).map(|number| number.to_string()).collect();
        assert_eq!(texts(&self.memory, self.to).await, expected, "what was acknowledged, and what is there");
        written
    }
}

async fn write(memory: ChatMemory, to: &str, stop: Arc<AtomicBool>) -> Written {
    let mut written = Written::default();
    while !stop.load(Ordering::SeqCst) {
        written.errors.extend(append_at_last(&memory, to, &written.acknowledged.to_string()).await);
        written.acknowledged += 1;
    }
    written
}

/// Appends a message with its idempotency key until it is stored, and gives what stood in the way.
pub(crate) async fn append_at_last(memory: &ChatMemory, to: &str, text: &str) -> Vec<Error> {
    let mut errors = Vec::new();
    loop {
        let began = Instant::now();
        let answer = append_once(memory, to, text).await;
        assert!(began.elapsed() < Duration::from_secs(2) + SLACK, "a call took {:?}", began.elapsed());
        match answer {
            Ok(_) => return errors,
            Err(error) => {
                assert!(error.is_retryable(), "{error:?}");
                errors.push(error);
            }
        }
    }
}

/// Does something that waits, beside what runs here.
pub(crate) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
