//! The model: sessions by name, each a plain list.

use std::collections::BTreeMap;

use hitherto::store::{Batch, Commit, Committed, Configure, Pop, Range, Result, StoreError};
use hitherto::{Timestamp, UserId};

use super::answer::Answer;
use super::session::Session;

/// The sessions of one scope.
#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<String, Session>);

impl Sessions {
    /// What has expired is gone for every call, so it goes before any.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.0.retain(|_, session| !session.has_expired(now));
    }

    pub(super) fn get(&mut self, name: &str) -> Option<&mut Session> {
        self.0.get_mut(name)
    }

    pub(super) fn append(&mut self, name: &str, now: Timestamp, batch: Batch) -> Answer {
        let session = self.0.entry(name.to_owned()).or_insert_with(|| Session::new(now));
        Answer::Receipt(session.append(now, batch))
    }

    pub(super) fn read(&mut self, name: &str, now: Timestamp, range: Range) -> Answer {
        let slice = self.get(name).map(|session| session.read(now, range)).unwrap_or_default();
        if matches!(range, Range::Window(_) | Range::Unfolded(..)) {
            Answer::window(slice)
        } else {
            Answer::Slice(slice)
        }
    }

    pub(super) fn pop(&mut self, name: &str, now: Timestamp, what: Pop) -> Answer {
        Answer::Popped(self.get(name).map(|session| session.pop(now, what)).unwrap_or_default())
    }

    pub(super) fn commit(&mut self, name: &str, commit: Commit) -> Answer {
        Answer::Committed(self.get(name).map_or(Committed::Changed, |session| session.commit(commit)))
    }

    pub(super) fn state(&mut self, name: &str, now: Timestamp) -> Answer {
        Answer::summary(&self.get(name).map(|session| session.state(now)).unwrap_or_default())
    }

    pub(super) fn fork(&mut self, name: &str, now: Timestamp, to: &str, upto: Option<u64>) -> Answer {
        let copied = match self.get(name) {
            None => Err(StoreError::NoSession),
            Some(session) => session.fork(now, upto),
        };
        Answer::Forked(copied.and_then(|copy| {
            if self.0.contains_key(to) {
                return Err(StoreError::SessionExists);
            }
            let last = copy.last();
            self.0.insert(to.to_owned(), copy);
            Ok(last)
        }))
    }

    pub(super) fn clear(&mut self, name: &str) -> Answer {
        Answer::Cleared(self.0.remove(name).map(Session::clear))
    }

    pub(super) fn configure(&mut self, name: &str, now: Timestamp, change: &Configure) -> Answer {
        let done: Result<()> =
            self.get(name).map(|session| session.configure(now, change)).ok_or(StoreError::NoSession);
        Answer::Configured(done)
    }

    pub(super) fn describe(&mut self, name: &str) -> Answer {
        Answer::Described(self.get(name).map(|session| session.describe()))
    }

    pub(super) fn list(&self, prefix: &str, user: Option<&UserId>) -> Answer {
        let all = self.0.iter().filter(|(name, _)| name.starts_with(prefix));
        let known = all.map(|(name, session)| (name.clone(), session.describe()));
        Answer::Listed(known.filter(|(_, known)| user.is_none() || known.user.as_ref() == user).collect())
    }

    pub(super) fn erase(&mut self, user: &UserId) -> Answer {
        let (mut sessions, mut messages, mut bytes) = (0, 0, 0);
        self.0.retain(|_, session| {
            let known = session.describe();
            let erased = known.user.as_ref() == Some(user);
            if erased {
                (sessions, messages, bytes) = (sessions + 1, messages + known.messages, bytes + known.bytes);
            }
            !erased
        });
        Answer::Erased(sessions, messages, bytes)
    }
}
