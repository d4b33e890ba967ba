//! Keys: `EXISTS`, `TYPE`, `DEL`, `KEYS`, `SCAN`, `DBSIZE`.
//!
//! A session can be named by the key of every profile. It is listed by its bare id, or, where a pattern begins as the
//! keys of a profile do, as that profile's keys.

use hitherto::{Listed, SessionId, SessionQuery};

use super::command::{Command, NOT_INTEGER, SYNTAX};
use super::profile::Part;
use super::read::Outcome;
use super::{Client, Keyspace, Reply, errors, glob};

/// What a scan looks for.
#[derive(Debug)]
struct Pattern<'a> {
    glob: &'a [u8],
    /// What stands before and after the ids of the keys listed, and which parts they are.
    names: Vec<(String, String, Part)>,
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
            Some(watched) => place.part != Part::Nothing && watched.seen.is_some(),
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
            let cleared = self.memory().clear(&place.session).await.map_err(errors::reply)?;
            gone += u64::from(cleared.is_some_and(|messages| messages > 0));
        }
        Ok(Reply::count(gone))
    }

    pub(super) async fn keys(&self, client: &Client, command: &Command) -> Outcome {
        let pattern = self.pattern(client, command.word(1), None);
        let (mut keys, mut bytes) = (Vec::new(), 0);
        let mut query = self.query(&pattern);
        loop {
            let page = self.memory().sessions(&query).await.map_err(errors::reply)?;
            for listed in page.sessions {
                for key in pattern.keys(&listed) {
                    bytes += key.len();
                    keys.push(key);
                }
            }
            if bytes > self.0.options.reply_limit {
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
        let pattern = self.pattern(client, glob, kind);
        let mut query = self.query(&pattern);
        query.limit = u32::try_from(count).unwrap_or(u32::MAX).min(self.memory().limits().page);
        query.after = self.0.cursors.place(cursor);
        let page = self.memory().sessions(&query).await.map_err(errors::reply)?;
        let keys: Vec<String> = page.sessions.iter().flat_map(|listed| pattern.keys(listed)).collect();
        let next = page.next.map_or(0, |place| self.0.cursors.note(place));
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

    fn pattern<'a>(&self, client: &Client, glob: &'a [u8], kind: Option<String>) -> Pattern<'a> {
        let literal = glob::literal_prefix(glob);
        let mut names: Vec<(String, String, Part)> = self
            .0
            .options
            .profiles
            .iter()
            .filter(|profile| profile.database.is_none_or(|own| own == client.database))
            .flat_map(|profile| &profile.keys)
            .filter(|(before, _, part)| {
                *part != Part::Nothing && !before.is_empty() && literal.starts_with(before.as_str())
            })
            .cloned()
            .collect();
        if names.is_empty() {
            names.push((String::new(), String::new(), Part::Messages));
        }
        let prefix = match names.as_slice() {
            [(before, _, _), rest @ ..] if rest.iter().all(|(other, _, _)| other == before) => {
                literal.strip_prefix(before.as_str()).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        };
        // What a pattern says literally may be the end of the key, and not of the id.
        let prefix = if names.iter().any(|(_, after, _)| !after.is_empty()) { String::new() } else { prefix };
        Pattern { glob, names, prefix, kind }
    }
}

impl Pattern<'_> {
    fn keys(&self, listed: &Listed) -> Vec<String> {
        if listed.description.messages == 0 {
            return Vec::new();
        }
        let key =
            |before: &str, session: &SessionId, after: &str| format!("{before}{}{after}", session.as_str());
        self.names
            .iter()
            .filter(|(_, _, part)| {
                self.kind.as_ref().is_none_or(|kind| word(*part).eq_ignore_ascii_case(kind))
            })
            .map(|(before, after, _)| key(before, &listed.session, after))
            .filter(|key| glob::matches(self.glob, key.as_bytes()))
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
