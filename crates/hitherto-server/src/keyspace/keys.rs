//! Keys: `EXISTS`, `TYPE`, `DEL`, `KEYS`, `SCAN`, `DBSIZE`.
//!
//! A session can be named by the key of every profile. It is listed by its bare id, or, where a pattern begins as the
//! keys of a profile do, as that profile's keys.

use hitherto::{Listed, SessionId, SessionQuery};

use super::command::{Command, NOT_INTEGER, SYNTAX};
use super::profile::Part;
use super::read::Outcome;
use super::{Client, Keyspace, Reply, errors, glob};
use crate::access::audit::{self, Who};

/// The longest pattern, in bytes: far longer than a key can be, and short enough to be tried on every one.
const PATTERN: usize = 4 << 10;

/// What stands before and after the id in a key, and which part of a session that is.
type Name = (String, String, Part);

/// What a scan looks for.
#[derive(Debug)]
struct Pattern<'a> {
    glob: &'a [u8],
    /// The keys of profiles that are listed; without any, sessions are listed by their bare ids.
    names: Vec<&'a Name>,
    /// What the ids begin with.
    prefix: String,
    kind: Option<String>,
}

impl Keyspace {
    /// `EXISTS` and `TOUCH`: how many of the keys there are; one that is named twice counts twice.
    pub(super) async fn exists(&self, client: &Client, command: &Command) -> Outcome {
        let mut there = 0;
        for key in command.rest(1) {
            let place = self.place(client, key)?;
            there += u64::from(place.part != Part::Nothing && self.describe(&place.session).await?.is_some());
        }
        Ok(Reply::count(there))
    }

    pub(super) async fn kind(&self, client: &Client, command: &Command) -> Outcome {
        let place = self.place(client, command.word(1))?;
        // What `WATCH` saw a moment ago is as good as another look: `EXEC` compares.
        let watched =
            client.watched.iter().find(|watched| client.just_watched && watched.session == place.session);
        let there = match watched {
            Some(watched) => {
                place.part != Part::Nothing && watched.seen.as_ref().is_some_and(|seen| seen.messages > 0)
            }
            None => place.part != Part::Nothing && self.describe(&place.session).await?.is_some(),
        };
        Ok(Reply::Word(if there { word(place.part) } else { "none" }))
    }

    /// `DEL` and `UNLINK`: a list's key clears its session; the hash goes with it and counts, and cannot go alone.
    pub(super) async fn del(&self, client: &Client, command: &Command) -> Outcome {
        let mut places = Vec::new();
        for key in command.rest(1) {
            places.push(self.place(client, key)?);
        }
        let mut gone = 0;
        // Hashes first: they are there as long as their list is.
        for place in places.iter().filter(|place| place.part == Part::Fields) {
            let with_list =
                places.iter().any(|other| other.part == Part::Messages && other.session == place.session);
            if self.describe(&place.session).await?.is_none() {
                continue;
            }
            if !with_list {
                return Err(Reply::error(
                    "ERR this hash is the session's own; delete the list, and it goes along",
                ));
            }
            gone += 1;
        }
        for place in places.iter().filter(|place| place.part == Part::Messages) {
            let cleared = self.clear(&place.session).await?;
            gone += u64::from(cleared.is_some_and(|messages| messages > 0));
        }
        Ok(Reply::count(gone))
    }

    /// Clears a session, and says in the audit line who did.
    pub(super) async fn clear(&self, session: &SessionId) -> Result<Option<u64>, Reply> {
        let cleared = self.memory().clear(session).await.map_err(errors::reply)?;
        if let Some(messages) = cleared {
            audit::cleared(&Who::Grant(&self.grant), &self.memory().scope().tenant, session, messages);
        }
        Ok(cleared)
    }

    pub(super) async fn keys(&self, client: &Client, command: &Command) -> Outcome {
        let pattern = self.pattern(client, command.word(1), None)?;
        let (mut keys, mut bytes) = (Vec::new(), 0);
        let mut query = self.query(&pattern);
        loop {
            let page = self.memory().sessions(&query).await.map_err(errors::reply)?;
            for listed in page.sessions {
                for key in self.names(client, &pattern, &listed) {
                    bytes += key.len();
                    keys.push(key);
                }
            }
            if bytes > self.shared.options.reply_limit {
                return Err(Reply::error("ERR there are too many keys for one reply; use SCAN"));
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(Reply::texts(keys.iter().map(String::as_str))),
            }
        }
    }

    pub(super) async fn scan(&self, client: &Client, command: &Command) -> Outcome {
        let cursor: u64 = std::str::from_utf8(command.word(1))
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Reply::error("ERR invalid cursor"))?;
        let (mut glob, mut count, mut kind) = (&b"*"[..], 10, None);
        let mut at = 2;
        while !command.rest(at).is_empty() {
            if command.rest(at + 1).is_empty() {
                return Err(Reply::error(SYNTAX));
            }
            match command.upper(at).as_str() {
                "MATCH" => glob = command.word(at + 1),
                "COUNT" => {
                    count = command.integer(at + 1).map_err(|_| Reply::error(NOT_INTEGER))?;
                    if count < 1 {
                        return Err(Reply::error(SYNTAX));
                    }
                }
                "TYPE" => kind = Some(command.upper(at + 1)),
                _ => return Err(Reply::error(SYNTAX)),
            }
            at += 2;
        }
        let pattern = self.pattern(client, glob, kind)?;
        let mut query = self.query(&pattern);
        query.limit = u32::try_from(count).unwrap_or(u32::MAX).min(self.memory().limits().page);
        query.after = self.shared.cursors.place(self.memory().scope(), cursor);
        let page = self.memory().sessions(&query).await.map_err(errors::reply)?;
        let keys: Vec<String> =
            page.sessions.iter().flat_map(|listed| self.names(client, &pattern, listed)).collect();
        let next = page.next.map_or(0, |place| self.shared.cursors.note(self.memory().scope(), place));
        let keys = Reply::texts(keys.iter().map(String::as_str));
        Ok(Reply::List(vec![Reply::text(&next.to_string()), keys]))
    }

    pub(super) async fn dbsize(&self) -> Outcome {
        let mut query = SessionQuery { limit: self.memory().limits().page, ..SessionQuery::default() };
        let mut count = 0;
        loop {
            let page = self.memory().sessions(&query).await.map_err(errors::reply)?;
            count += page.sessions.iter().filter(|listed| listed.description.messages > 0).count() as u64;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(Reply::count(count)),
            }
        }
    }

    fn query(&self, pattern: &Pattern<'_>) -> SessionQuery {
        let limit = self.memory().limits().page;
        SessionQuery { prefix: pattern.prefix.clone(), limit, ..SessionQuery::default() }
    }

    /// How the profiles of the client's database name keys.
    fn profile_names(&self, client: &Client) -> impl Iterator<Item = &Name> {
        let database = client.database;
        self.shared
            .options
            .profiles
            .iter()
            .filter(move |profile| profile.database.is_none_or(|own| own == database))
            .flat_map(|profile| &profile.keys)
    }

    fn pattern<'a>(
        &'a self,
        client: &Client,
        glob: &'a [u8],
        kind: Option<String>,
    ) -> Result<Pattern<'a>, Reply> {
        if glob.len() > PATTERN {
            return Err(Reply::error(format!("ERR a pattern has at most {PATTERN} bytes")));
        }
        let literal = glob::literal_prefix(glob);
        let names: Vec<&Name> = self
            .profile_names(client)
            .filter(|(before, _, part)| {
                *part != Part::Nothing && !before.is_empty() && literal.starts_with(before.as_str())
            })
            .collect();
        let prefix = match names.as_slice() {
            // What a pattern says literally may be the end of the key, and not of the id.
            all if all.iter().any(|(_, after, _)| !after.is_empty()) => "",
            [] => &literal,
            [(before, _, _), rest @ ..] if rest.iter().all(|(other, _, _)| other == before) => {
                literal.strip_prefix(before.as_str()).unwrap_or_default()
            }
            _ => "",
        };
        Ok(Pattern { glob, prefix: prefix.to_owned(), names, kind })
    }

    /// The keys by which a session is listed: each leads to it, and to the part that it says.
    fn names(&self, client: &Client, pattern: &Pattern<'_>, listed: &Listed) -> Vec<String> {
        if listed.description.messages == 0 {
            return Vec::new();
        }
        let session = &listed.session;
        let key = |(before, after, part): &Name| (format!("{before}{}{after}", session.as_str()), *part);
        let leads_back = |(key, part): &(String, Part)| {
            self.place(client, key.as_bytes())
                .is_ok_and(|place| place.part == *part && place.session == *session)
        };
        let keys: Vec<(String, Part)> = if pattern.names.is_empty() {
            // An id that looks like a key of a profile is, as a key, another session's.
            let names = self.profile_names(client).filter(|(_, _, part)| *part == Part::Messages).map(key);
            let bare = (session.as_str().to_owned(), Part::Messages);
            std::iter::once(bare).chain(names).find(leads_back).into_iter().collect()
        } else {
            pattern.names.iter().copied().map(key).filter(leads_back).collect()
        };
        keys.into_iter()
            .filter(|(_, part)| {
                pattern.kind.as_ref().is_none_or(|kind| word(*part).eq_ignore_ascii_case(kind))
            })
            .map(|(key, _)| key)
            .filter(|key| glob::matches(pattern.glob, key.as_bytes()))
            .collect()
    }
}

const fn word(part: Part) -> &'static str {
    match part {
        Part::Messages => "list",
        Part::Fields => "hash",
        Part::Nothing => "none",
    }
}
