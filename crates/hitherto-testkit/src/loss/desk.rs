//! What a case works with: a ground, a scribe, and servers whose workers it starts itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hitherto::store::{At, Range, Reader, Seq, Slice, SummaryState};
use hitherto::summary::{Piece, Summariser, SummaryOptions};
use hitherto::{AppendOptions, ChatMemory, Edit, Message, Role, Scope, SessionId};

use super::check::verify;
use super::count::Count;
use super::fleet::{Ground, Server};
use super::scribe::Scribe;

/// How long a case waits for something to become true.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks, where there is no event.
const LOOK: Duration = Duration::from_millis(5);

/// A case's desk.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) ground: Arc<Ground>,
    pub(super) count: Arc<Count>,
    pub(super) scribe: Arc<Scribe>,
    pub(super) stand_in: Arc<Scribe>,
    pub(super) options: SummaryOptions,
}

/// A session's id.
pub(super) fn id(name: &str) -> SessionId {
    SessionId::parse(name).expect("a name")
}

/// So many turns of a question and an answer, in which the session calls itself by that tag.
pub(super) fn turns(tag: &str, count: usize) -> Vec<Message> {
    let pair =
        |n| [Message::user(&format!("{tag} asks {n}")), Message::assistant(&format!("{tag} says {n}"))];
    (0..count).flat_map(pair).collect()
}

/// The numbers of the messages in some pieces, in the order in which they were given.
pub(super) fn given(pieces: &[Piece]) -> Vec<Seq> {
    let first = |part: Option<(u32, u32)>| part.is_none_or(|(part, _)| part == 1);
    pieces
        .iter()
        .flat_map(|piece| &piece.lines)
        .filter(|line| first(line.part))
        .map(|line| line.seq)
        .collect()
}

impl Desk {
    /// One with a window of so many turns, and a scribe that takes so many tokens.
    pub(super) fn new(ground: Arc<Ground>, window: u32, input_tokens: usize) -> Self {
        let count = Count::new();
        let mut options = SummaryOptions::default();
        options.policy.window = window;
        options.policy.fold_after_turns = 2;
        options.policy.summary_tokens = 8_000;
        options.poll = Duration::from_millis(20);
        Self {
            ground,
            scribe: Arc::new(Scribe::new("scribe", input_tokens, &count).keeping()),
            stand_in: Arc::new(Scribe::new("stand-in", input_tokens, &count)),
            count,
            options,
        }
    }

    /// A server with a store object of its own, and no worker.
    pub(super) fn server(&self) -> Server {
        self.equipped(None)
    }

    /// The same with a stand-in.
    pub(super) fn server_with_stand_in(&self) -> Server {
        self.equipped(Some(self.stand_in.clone()))
    }

    fn equipped(&self, stand_in: Option<Arc<dyn Summariser>>) -> Server {
        let store = self.ground.open();
        let memory = ChatMemory::new(Arc::clone(&store)).with_clock(self.ground.clock(0));
        Server { memory: memory.with_summaries(self.options.clone(), self.scribe.clone(), stand_in), store }
    }

    /// Lets so many seconds pass.
    pub(super) fn advance(&self, secs: u64) {
        self.ground.advance(Duration::from_secs(secs));
    }

    /// A session and its summary at one moment, in which everything is as it must be.
    pub(super) async fn look(&self, server: &Server, session: &str) -> (Slice, SummaryState) {
        let key = Scope::default().session(&id(session));
        let at = At { key: &key, now: self.ground.now() };
        let read = server.store.read_with_summary(at, Range::After(0, 100_000), Reader::Client).await;
        let (slice, state) = read.expect("a store that answers");
        if let Err(what) = verify(&slice, &state) {
            panic!("{session}: {what}");
        }
        assert_eq!(self.count.all_wrong(), Vec::<String>::new());
        (slice, state)
    }

    /// The watermark; 0 without a summary.
    pub(super) async fn upto(&self, server: &Server, session: &str) -> Seq {
        self.look(server, session).await.1.current.map_or(0, |summary| summary.upto)
    }

    /// Waits until a summary is fresh and reaches so far, checking at each look that nothing is lost.
    pub(super) async fn until(&self, server: &Server, session: &str, upto: Seq) -> SummaryState {
        self.sooner_or_later(server, session, upto, 0).await
    }

    /// The same while time passes, so that what was put off comes, whenever it was.
    pub(super) async fn in_time(&self, server: &Server, session: &str, upto: Seq) -> SummaryState {
        self.sooner_or_later(server, session, upto, 10).await
    }

    /// Waits until the scribe has been asked so many times, while time passes.
    pub(super) async fn asked_in_time(&self, times: usize) {
        let start = Instant::now();
        while self.scribe.times() < times {
            assert!(start.elapsed() < PATIENCE, "asked {} times, not {times}", self.scribe.times());
            self.advance(10);
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn sooner_or_later(&self, server: &Server, session: &str, upto: Seq, secs: u64) -> SummaryState {
        let start = Instant::now();
        loop {
            self.advance(secs);
            let (_, state) = self.look(server, session).await;
            if !state.stale && state.current.as_ref().is_some_and(|summary| summary.upto == upto) {
                return state;
            }
            assert!(start.elapsed() < PATIENCE, "{session} never reached {upto}: {state:?}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Appends messages.
pub(super) async fn say(server: &Server, session: &str, said: Vec<Message>) {
    server.append(&id(session), said, &AppendOptions::default()).await.expect("an append");
}

/// Replaces the text of a message.
pub(super) async fn edit(server: &ChatMemory, session: &str, seq: Seq, text: &str) {
    let mut change = Edit::default();
    change.content = Some(format!("\"{text}\""));
    server.edit(&id(session), seq, &change).await.expect("an edit");
}

/// A message of so many words.
pub(super) fn long(tag: &str, role: Role, words: usize) -> Message {
    Message::new(role, &format!("{tag} {}", "and another word ".repeat(words / 3)))
}
