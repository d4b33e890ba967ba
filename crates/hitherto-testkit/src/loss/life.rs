//! The life of one session: what its writer does to it, trying again as a sensible client does.

use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitherto::store::{At, Range, Reader};
use hitherto::{AppendOptions, Change, Configure, Edit, Error, Message, Pop, Role, SessionId, StoreError};

use super::chance::Chance;
use super::check::verify;
use super::chronicle::Chronicle;
use super::count::{Count, add};
use super::fleet::{Fleet, Server};
use super::ledger::{Ledger, line_text};

/// How often a writer tries before it gives the harness up.
const TRIES: usize = 600;

/// What all lives of a run share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) fleet: Fleet,
    pub(super) count: Arc<Count>,
    pub(super) seed: u64,
    /// Counts texts, so that no two are the same.
    pub(super) texts: AtomicU64,
}

/// A session that has lived, as its writers know it.
#[derive(Debug, Clone)]
pub(super) struct Lived {
    pub(super) session: SessionId,
    pub(super) chronicle: Arc<Mutex<Chronicle>>,
    /// How many turns stay verbatim, and how many that leave are folded; none if nothing is folded.
    pub(super) policy: Option<(usize, usize)>,
    /// Whether a maximum of messages removes some.
    pub(super) trimmed: bool,
    /// Whether somebody wrote a summary, of which the number of turns is a guess.
    pub(super) by_hand: bool,
}

/// A writer at work.
pub(super) struct Life<'a> {
    world: &'a World,
    chance: Chance,
    tag: String,
    lived: Lived,
    keys: u64,
    /// Whether nobody can say what becomes of the session.
    lost: bool,
    /// Whether something was tried again, of which the first try may still come.
    retried: bool,
}

/// The window and the number of turns that are folded, of sessions that have none of their own.
pub(super) const POLICY: (usize, usize) = (2, 2);

fn session(name: &str) -> SessionId {
    SessionId::parse(name).expect("a name")
}

/// The whole life of session number `index`, and what came of it: the session, and maybe a copy.
pub(super) async fn live(world: &World, index: u64) -> Vec<Lived> {
    let mut chance = Chance::new(world.seed, index);
    let kind = chance.below(100);
    let tag = format!("s{index}");
    let lived = Lived {
        session: session(&tag),
        chronicle: Arc::default(),
        policy: Some(POLICY),
        trimmed: (70..75).contains(&kind),
        by_hand: (85..90).contains(&kind),
    };
    let mut life = Life { world, chance, tag, lived, keys: 0, lost: false, retried: false };
    add(&world.count.sessions);
    life.append().await;
    match kind {
        70..75 => life.set_maximum().await,
        90..95 => life.set_policy().await,
        _ => {}
    }
    let batches = life.chance.between(1, 5);
    if (75..80).contains(&kind) {
        // Two writers at once.
        let mut other = life.beside();
        tokio::join!(life.go_on(batches), other.say(batches));
    } else {
        life.go_on(batches).await;
    }
    if (80..85).contains(&kind) {
        life.clear().await;
        if life.lost {
            return Vec::new();
        }
        life.go_on(batches).await;
    }
    if life.lived.by_hand {
        life.write_by_hand().await;
        life.go_on(1).await;
    }
    let mut all = vec![];
    if kind >= 95 {
        all.extend(life.fork().await);
    }
    all.push(life.lived);
    all
}

impl<'a> Life<'a> {
    fn beside(&self) -> Life<'a> {
        Life {
            world: self.world,
            chance: Chance::new(self.world.seed, self.chance.clone().any()),
            tag: self.tag.clone(),
            lived: self.lived.clone(),
            keys: 1_000_000,
            lost: false,
            retried: false,
        }
    }

    fn chronicle(&self) -> std::sync::MutexGuard<'_, Chronicle> {
        self.lived.chronicle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call of some server.
    async fn once<T, F>(&mut self, call: impl FnOnce(Server, SessionId) -> F) -> Option<Result<T, Error>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let (which, session) = (self.chance.any() as usize, self.lived.session.clone());
        self.world.fleet.call(which, |memory| call(memory, session)).await
    }

    /// A call that is tried again until somebody says what came of it. The flag says whether an earlier try may
    /// have done it already.
    async fn until<T, F>(&mut self, call: impl Fn(Server, SessionId) -> F) -> (Result<T, Error>, bool)
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut unsure = false;
        for _ in 0..TRIES {
            match self.once(&call).await {
                Some(Err(error)) if error.is_retryable() => unsure = true,
                Some(done) => return (done, unsure),
                None => unsure = true,
            }
            self.retried = true;
            add(&self.world.count.retries);
            // As clients do: a little later.
            tokio::time::sleep(Duration::from_millis(self.chance.between(5, 60))).await;
        }
        panic!("{}: nobody answers", self.tag);
    }

    fn wrong(&self, what: impl Debug) {
        self.world.count.wrong(format!("{}: {what:?}", self.lived.session));
    }

    fn text(&mut self, long: bool) -> String {
        let number = self.world.texts.fetch_add(1, Ordering::Relaxed);
        let words = if long { self.chance.between(300, 900) } else { self.chance.between(1, 12) };
        let words: Vec<String> = (0..words).map(|_| format!("w{:x}", self.chance.below(5000))).collect();
        format!("{} m{number} {}", self.tag, words.join(" "))
    }

    /// One to three turns, some with tools, some with an enormous message, some that say nothing.
    fn turns(&mut self) -> Vec<Message> {
        let mut said = Vec::new();
        for _ in 0..self.chance.between(1, 3) {
            let long = self.chance.percent(2);
            said.push(Message::user(&self.text(long)));
            if self.chance.percent(15) {
                let calls = serde_calls();
                said.push(Message::assistant(&self.text(false)).with("tool_calls", &calls));
                said.push(Message::tool("c1", &self.text(false)));
            }
            let long = self.chance.percent(2);
            match self.chance.below(20) {
                0 => {}
                1 => said.push(Message::assistant(" ")),
                _ => said.push(Message::new(Role::Assistant, &self.text(long))),
            }
        }
        said
    }

    async fn append(&mut self) {
        let said = self.turns();
        let texts: Vec<String> = said.iter().map(line_text).collect();
        self.keys += 1;
        let mut options = AppendOptions::default();
        options.idempotency_key = Some(format!("{}-{}", self.tag, self.keys));
        // A client that gives up leaves it to chance whether its append stands.
        let gives_up = self.chance.percent(2);
        let call = |memory: Server, session: SessionId| {
            let (said, options) = (said.clone(), options.clone());
            async move { memory.append(&session, said, &options).await }
        };
        let done = if gives_up {
            match self.once(call).await {
                Some(Ok(appended)) => Ok(appended),
                _ => {
                    self.chronicle().given_up.push(texts);
                    return;
                }
            }
        } else {
            self.until(call).await.0
        };
        match done {
            Ok(appended) => {
                add(&self.world.count.appends);
                self.world.count.messages.fetch_add(texts.len() as u64, Ordering::Relaxed);
                let mut chronicle = self.chronicle();
                for (seq, text) in (appended.first_seq..).zip(texts) {
                    if let Some(other) = chronicle.said.insert(seq, text) {
                        drop(chronicle);
                        return self.wrong(format!("place {seq} was given twice, before to {other:?}"));
                    }
                }
            }
            Err(error) => self.wrong(error),
        }
    }

    /// Only appends.
    async fn say(&mut self, batches: u64) {
        for _ in 0..batches {
            self.append().await;
        }
    }

    /// Appends, with changes and reads in between.
    async fn go_on(&mut self, batches: u64) {
        for _ in 0..batches {
            match self.chance.below(100) {
                0..12 => self.edit().await,
                12..20 => self.delete().await,
                20..26 => self.pop().await,
                26..32 => self.fold().await,
                _ => {}
            }
            if self.chance.percent(30) {
                self.read().await;
            }
            self.append().await;
        }
        if self.chance.percent(10) {
            self.delete().await;
        }
        if self.chance.percent(10) {
            self.edit().await;
        }
    }

    /// A message that was acknowledged and not removed.
    fn some(&mut self) -> Option<u64> {
        let choice = self.chance.any() as usize;
        let chronicle = self.chronicle();
        let live: Vec<u64> =
            chronicle.said.keys().filter(|seq| !chronicle.gone.contains(seq)).copied().collect();
        live.get(choice % live.len().max(1)).copied()
    }

    /// Whether a message may rightly be missing.
    fn may_be_gone(&self) -> bool {
        self.lived.trimmed || self.chronicle().loose
    }

    async fn edit(&mut self) {
        let Some(seq) = self.some() else { return };
        let long = self.chance.percent(3);
        let text = self.text(long);
        let mut edit = Edit::default();
        edit.content = Some(format!("\"{text}\""));
        let (done, _) = self
            .until(|memory, session| {
                let edit = edit.clone();
                async move { memory.edit(&session, seq, &edit).await }
            })
            .await;
        add(&self.world.count.changes);
        match done {
            Ok(stored) => drop(self.chronicle().said.insert(seq, line_text(&stored.message))),
            Err(Error::Store(StoreError::NoMessage(_))) if self.may_be_gone() => {}
            Err(error) => self.wrong(error),
        }
    }

    async fn delete(&mut self) {
        let Some(seq) = self.some() else { return };
        let (done, unsure) =
            self.until(|memory, session| async move { memory.delete(&session, seq).await }).await;
        add(&self.world.count.changes);
        match done {
            Ok(()) => drop(self.chronicle().gone.insert(seq)),
            Err(Error::Store(StoreError::NoMessage(_))) if unsure => drop(self.chronicle().gone.insert(seq)),
            Err(Error::Store(StoreError::NoMessage(_))) if self.may_be_gone() => {}
            Err(error) => self.wrong(error),
        }
    }

    async fn pop(&mut self) {
        let what = if self.chance.percent(50) { Pop::Turn } else { Pop::Message };
        add(&self.world.count.changes);
        match self.once(move |memory, session| async move { memory.pop(&session, what).await }).await {
            Some(Ok(popped)) => self.chronicle().gone.extend(popped.iter().map(|message| message.seq)),
            Some(Err(error)) if !error.is_retryable() => self.wrong(error),
            // It may have happened, or not.
            _ => self.chronicle().loose = true,
        }
    }

    /// Folds now, through two servers at once.
    async fn fold(&mut self) {
        add(&self.world.count.others);
        let (one, two) = (self.chance.any() as usize, self.chance.any() as usize);
        let session = self.lived.session.clone();
        let fold = |memory: Server| {
            let session = session.clone();
            async move { memory.fold(&session).await }
        };
        let both = tokio::join!(self.world.fleet.call(one, fold), self.world.fleet.call(two, fold));
        for done in [both.0, both.1].into_iter().flatten() {
            match done {
                // Its first append was given up.
                Err(Error::Store(StoreError::NoSession)) if self.chronicle().said.is_empty() => {}
                Err(error) if !error.is_retryable() => self.wrong(error),
                _ => {}
            }
        }
    }

    /// Reads all of it at one moment, and what a context is made of.
    async fn read(&mut self) {
        let read = self.once(|memory, session| async move { read_all(&memory, &session).await }).await;
        if let Some(Ok(Err(what))) = read {
            self.wrong(what);
        }
        add(&self.world.count.reads);
    }

    async fn set_maximum(&mut self) {
        let most = self.chance.between(4, 12);
        let change = Configure { max_messages: Change::Set(most), ..Configure::default() };
        self.configure(change).await;
    }

    async fn set_policy(&mut self) {
        let (window, turns) = (self.chance.between(1, 4), self.chance.between(1, 3));
        let mut own = hitherto::summary::PolicyChange::default();
        own.window = Some(window as u32);
        own.fold_after_turns = Some(turns as u32);
        if self.chance.percent(10) {
            own.enabled = Some(false);
            self.lived.policy = None;
        } else {
            self.lived.policy = Some((window as usize, turns as usize));
        }
        let (done, _) = self
            .until(|memory, session| async move { memory.set_policy(&session, Change::Set(own)).await })
            .await;
        add(&self.world.count.others);
        // The append before may have been given up.
        if let Err(error) = done {
            self.lived.policy = Some(POLICY);
            if error != Error::Store(StoreError::NoSession) {
                self.wrong(error);
            }
        }
    }

    async fn configure(&mut self, change: Configure) {
        let (done, _) = self
            .until(|memory, session| {
                let change = change.clone();
                async move { memory.configure(&session, &change).await }
            })
            .await;
        add(&self.world.count.others);
        if let Err(error) = done
            && error != Error::Store(StoreError::NoSession)
        {
            self.wrong(error);
        }
    }

    /// Ends the session and begins another of the same name.
    async fn clear(&mut self) {
        if self.retried || self.chronicle().loose || !self.chronicle().given_up.is_empty() {
            // It could come after the end: idempotency keys go with the session.
            return;
        }
        match self.once(|memory, session| async move { memory.clear(&session).await }).await {
            Some(Ok(_)) => {}
            Some(Err(error)) if !error.is_retryable() => return self.wrong(error),
            // It may still come, and end whatever there is by then.
            _ => {
                self.lost = true;
                return;
            }
        }
        add(&self.world.count.others);
        add(&self.world.count.sessions);
        self.tag.push('x');
        *self.chronicle() = Chronicle::default();
        self.append().await;
    }

    /// A summary by hand, and maybe back again.
    async fn write_by_hand(&mut self) {
        let Some(upto) = self.some() else { return };
        let text = Ledger::by_hand(&self.tag, upto).to_string();
        let (done, _) = self
            .until(|memory, session| {
                let text = text.clone();
                async move { memory.put_summary(&session, &text, upto).await }
            })
            .await;
        add(&self.world.count.others);
        if let Err(error) = done {
            self.wrong(error);
        }
        if self.chance.percent(50) {
            let (done, _) =
                self.until(|memory, session| async move { memory.rollback_summary(&session).await }).await;
            match done {
                Ok(_) | Err(Error::NoEarlierSummary) => {}
                Err(error) => self.wrong(error),
            }
        }
    }

    async fn fork(&mut self) -> Option<Lived> {
        let upto = self.some().filter(|_| self.chance.clone().percent(50));
        let to = session(&format!("{}f", self.tag));
        if self.chronicle().loose || !self.chronicle().given_up.is_empty() {
            return None;
        }
        let (done, unsure) = self
            .until(|memory, from| {
                let to = to.clone();
                async move { memory.fork(&from, &to, upto).await }
            })
            .await;
        match done {
            Ok(_) => {}
            Err(Error::Store(StoreError::SessionExists)) if unsure => {}
            Err(error) => {
                self.wrong(error);
                return None;
            }
        }
        add(&self.world.count.sessions);
        add(&self.world.count.others);
        let mut chronicle = self.chronicle().clone();
        let upto = upto.unwrap_or(u64::MAX);
        chronicle.said.retain(|seq, _| *seq <= upto);
        chronicle.gone.retain(|seq| *seq <= upto);
        let lived = Lived { session: to, chronicle: Arc::new(Mutex::new(chronicle)), ..self.lived.clone() };
        let mut copy = Life { lived, ..self.beside() };
        if unsure || self.chance.percent(60) {
            copy.go_on(2).await;
        }
        Some(copy.lived)
    }
}

/// A call of a tool, as messages have it.
fn serde_calls() -> serde_json::Value {
    serde_json::json!([{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}])
}

/// Reads a session whole, and checks it; the outer error is the store's.
pub(super) async fn read_all(memory: &Server, id: &SessionId) -> Result<Result<(), String>, Error> {
    let store = &memory.store;
    let key = memory.scope().session(id);
    let at = At { key: &key, now: hitherto::Timestamp::now() };
    let (slice, state) = store.read_with_summary(at, Range::After(0, 100_000), Reader::Client).await?;
    if let Err(what) = verify(&slice, &state) {
        return Ok(Err(what));
    }
    let (slice, state) = store.read_with_summary(at, Range::Unfolded(2, 10_000), Reader::Client).await?;
    let covered = state.current.as_ref().map_or(0, |summary| summary.upto).max(slice.base);
    let begins = slice.entries.first().map_or(slice.last, |entry| entry.seq - 1);
    if begins > covered {
        return Ok(Err(format!("between the summary up to {covered} and {begins} is a gap")));
    }
    Ok(Ok(()))
}
