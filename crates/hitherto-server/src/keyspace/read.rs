//! Reading lists: `LRANGE`, `LLEN`.
//!
//! Invariant: reading a whole list, or the newest so many of one that holds the newest first, gives what belongs into
//! a prompt where the profile says so; every other range gives exactly the elements of those positions.

use std::sync::Arc;

use hitherto::{
    Budget, Context, ContextOptions, Direction, Message, Role, SUMMARY_LEAD_IN, Seq, SessionId, StoredMessage,
};

use super::command::Command;
use super::profile::{Part, Place, Profile};
use super::slice::{self, Bound};
use super::variant::Variant;
use super::{Client, Keyspace, Reply};

/// What a read is of: a list that is there or not, or something else.
pub(super) type Outcome = Result<Reply, Reply>;

/// What a read showed.
struct Shown {
    variant: Variant,
    reply: Reply,
}

impl Keyspace {
    /// What a key means to this client.
    pub(super) fn place<'a>(&'a self, client: &Client, key: &[u8]) -> Result<Place<'a>, Reply> {
        self.shared.options.profiles.locate(client.database, key)
    }

    /// The place of a key that must be a list, or no key at all: nothing for the latter.
    pub(super) async fn list<'a>(&'a self, client: &Client, key: &[u8]) -> Result<Option<Place<'a>>, Reply> {
        let place = self.place(client, key)?;
        match place.part {
            Part::Messages => Ok(Some(place)),
            Part::Nothing => Ok(None),
            Part::Fields if self.describe(&place.session).await?.is_some() => {
                Err(super::errors::wrong_type())
            }
            Part::Fields => Ok(None),
        }
    }

    pub(super) fn bound(&self) -> Bound {
        Bound { bytes: self.shared.options.reply_limit, page: self.memory().limits().page }
    }

    pub(super) async fn lrange(&self, client: &Client, command: &Command) -> Outcome {
        let (start, stop) = (command.integer(2)?, command.integer(3)?);
        let Some(place) = self.list(client, command.word(1)).await? else {
            return Ok(Reply::List(Vec::new()));
        };
        let Place { profile, session, .. } = &place;
        let mut variant = self.variant(profile, session);
        // What is read says how the list looks; where the guess was wrong, it is read once more.
        for _ in 0..2 {
            let shown = self.range(profile, session, variant, start, stop).await?;
            if shown.variant == variant {
                return Ok(shown.reply);
            }
            self.shared.variants.learn(profile, &self.key(session), shown.variant);
            variant = shown.variant;
        }
        Ok(self.range(profile, session, variant, start, stop).await?.reply)
    }

    /// How a list looked last, or looks most of the time.
    pub(super) fn variant(&self, profile: &Profile, session: &SessionId) -> Variant {
        self.shared.variants.seen(profile, &self.key(session)).unwrap_or_else(|| Variant::of(profile, None))
    }

    async fn range(
        &self,
        profile: &Profile,
        session: &SessionId,
        variant: Variant,
        start: i64,
        stop: i64,
    ) -> Result<Shown, Reply> {
        let budget = match (start, stop) {
            (0, -1) if variant.context => profile.tokens.map_or(Budget::Defaults, Budget::Tokens),
            // The node that most people have asks so for what it calls a window of the newest turns.
            (..0, -1) if variant.context && variant.newest_first => {
                Budget::Turns(u32::try_from(start.unsigned_abs()).unwrap_or(u32::MAX))
            }
            _ => return self.history(profile, session, variant, start, stop).await,
        };
        match self.context(profile, session, variant, budget).await? {
            Some(shown) => Ok(shown),
            // Nothing that could go into a prompt: whoever pushed it gets it back.
            None => self.history(profile, session, variant, start, stop).await,
        }
    }

    async fn context(
        &self,
        profile: &Profile,
        session: &SessionId,
        variant: Variant,
        budget: Budget,
    ) -> Result<Option<Shown>, Reply> {
        let mut options = ContextOptions::default();
        options.budget = budget;
        options.summary = self.shared.options.summary;
        options.encoding = self.shared.options.encoding;
        options.uncounted = true;
        if matches!(budget, Budget::Tokens(_)) {
            // Off the threads on which other clients wait; if loading died, counting says why.
            let encoding = options.encoding;
            let load = || async { drop(tokio::task::spawn_blocking(move || encoding.warm()).await) };
            self.shared.table.get_or_init(load).await;
        }
        let context = self.memory().context(session, &options).await.map_err(super::errors::reply)?;
        if context.messages.is_empty() {
            return Ok(None);
        }
        let newest = told(profile, context.messages.iter().map(|stored| &stored.message));
        let variant = self.look(profile, session, variant, newest, false).await?;
        let (older, summary) = self.as_first_read(session, budget, &context).await?;
        let summary = summary.map(|text| {
            let role = match self.shared.options.summary {
                hitherto::SummaryRole::User => Role::User,
                hitherto::SummaryRole::Assistant => Role::Assistant,
                _ => Role::System,
            };
            Message::new(role, &format!("{SUMMARY_LEAD_IN}\n{text}"))
        });
        let given = older.iter().chain(&context.messages).map(|stored| &stored.message);
        let messages = summary.iter().chain(given);
        Ok(Some(Shown { variant, reply: self.shown(messages, variant)? }))
    }

    /// What a context is given beyond its messages, so that it is as it was first read since something was said: older
    /// messages, and the text of the summary.
    async fn as_first_read(
        &self,
        session: &SessionId,
        budget: Budget,
        context: &Context,
    ) -> Result<(Vec<StoredMessage>, Option<Arc<str>>), Reply> {
        let own = || context.summary.as_ref().map(|summary| Arc::from(summary.text.as_str()));
        let Some(pin) = self.shared.pins.first_read(&self.key(session), budget, context) else {
            return Ok((Vec::new(), own()));
        };
        let missing = context.explain.first_seq.map_or(0, |first| first.saturating_sub(pin.first));
        if missing == 0 {
            return Ok((Vec::new(), pin.summary));
        }
        let Ok(limit) = u32::try_from(missing) else { return Ok((Vec::new(), own())) };
        if limit > self.memory().limits().page {
            return Ok((Vec::new(), own()));
        }
        let after = Direction::After(pin.first.saturating_sub(1));
        let page = self.memory().messages(session, after, limit).await.map_err(super::errors::reply)?;
        let end = context.explain.first_seq.unwrap_or(Seq::MAX);
        let older = page.messages.into_iter().filter(|stored| stored.seq < end).collect();
        Ok((older, pin.summary))
    }

    async fn history(
        &self,
        profile: &Profile,
        session: &SessionId,
        variant: Variant,
        start: i64,
        stop: i64,
    ) -> Result<Shown, Reply> {
        let (start, stop) = if variant.newest_first { (mirror(stop), mirror(start)) } else { (start, stop) };
        let found = slice::between(self.memory(), session, start, stop, self.bound())
            .await
            .map_err(super::errors::reply)?;
        if found.too_much {
            return Err(self.too_long());
        }
        let newest = told(profile, found.elements.iter().flatten().map(|element| &element.message));
        let variant = self.look(profile, session, variant, newest, found.elements.is_empty()).await?;
        Ok(Shown {
            variant,
            reply: self.shown(found.elements.iter().flatten().map(|element| &element.message), variant)?,
        })
    }

    /// How the list looks by the newest message that was read and tells. Where none was, the guess stands if it is from
    /// an earlier look; else a page of the newest messages is looked through, once.
    pub(super) async fn look(
        &self,
        profile: &Profile,
        session: &SessionId,
        guess: Variant,
        newest: Option<&Message>,
        is_empty: bool,
    ) -> Result<Variant, Reply> {
        if let Some(newest) = newest {
            let variant = Variant::of(profile, Some(newest));
            self.shared.variants.learn(profile, &self.key(session), variant);
            return Ok(variant);
        }
        if is_empty
            || Variant::is_fixed(profile)
            || self.shared.variants.seen(profile, &self.key(session)).is_some()
        {
            return Ok(guess);
        }
        let page = self.memory().limits().page;
        let newest = Direction::Before(Seq::MAX);
        let found = self.memory().elements(session, newest, page).await.map_err(super::errors::reply)?;
        let newest = told(profile, found.elements.iter().map(|element| &element.message));
        let variant = Variant::of(profile, newest);
        self.shared.variants.learn(profile, &self.key(session), variant);
        Ok(variant)
    }

    /// Messages, oldest first, as the list shows them.
    fn shown<'a>(
        &self,
        messages: impl Iterator<Item = &'a Message>,
        variant: Variant,
    ) -> Result<Reply, Reply> {
        let mut elements: Vec<Reply> = Vec::new();
        let mut bytes = 0;
        for message in messages {
            for element in self.shared.translations.elements(message, variant.dialect) {
                bytes += element.len();
                elements.push(Reply::Bulk(element));
            }
        }
        if bytes > self.shared.options.reply_limit {
            return Err(self.too_long());
        }
        if variant.newest_first {
            elements.reverse();
        }
        Ok(Reply::List(elements))
    }

    pub(super) fn too_long(&self) -> Reply {
        Reply::error(format!(
            "ERR the reply would have more than {} bytes; ask for a part of the list",
            self.shared.options.reply_limit
        ))
    }

    pub(super) async fn llen(&self, client: &Client, command: &Command) -> Outcome {
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(Reply::Int(0)) };
        Ok(Reply::count(self.length(&place.session).await?))
    }

    pub(super) async fn length(&self, session: &SessionId) -> Result<u64, Reply> {
        slice::length(self.memory(), session).await.map_err(super::errors::reply)
    }

    /// What is known of a session.
    pub(super) async fn describe(&self, session: &SessionId) -> Result<Option<hitherto::Description>, Reply> {
        let found = self.memory().describe(session).await.map_err(super::errors::reply)?;
        // A list without elements is no key.
        Ok(found.filter(|found| found.messages > 0))
    }
}

/// The newest of these messages, oldest first, that tells how their list looks.
pub(super) fn told<'a>(
    profile: &Profile,
    messages: impl DoubleEndedIterator<Item = &'a Message>,
) -> Option<&'a Message> {
    messages.rev().find(|message| Variant::is_told_by(profile, message))
}

/// A position counted from the other end.
pub(super) fn mirror(position: i64) -> i64 {
    !position
}

/// Why a count is none.
pub(super) fn count_of(command: &Command, at: usize) -> Result<Option<u32>, Reply> {
    if command.rest(at).is_empty() {
        return Ok(None);
    }
    match command.integer(at).ok().and_then(|count| u32::try_from(count).ok()) {
        Some(count) => Ok(Some(count)),
        None => Err(Reply::error("ERR value is out of range, must be positive")),
    }
}
