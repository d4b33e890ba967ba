//! The table of profiles: which key is which session, and how its clients write and read it.
//!
//! Invariant: this is the one place that decides which session a key means. The first profile whose database and
//! pattern match has the key; the last built-in one matches every key.

use hitherto::{Dialect, SessionId};

use super::Reply;

/// Where the newest message of a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// At the head: clients append with `LPUSH`.
    NewestFirst,
    /// At the tail: clients append with `RPUSH`.
    OldestFirst,
    /// Where it was pushed last: for keys that clients of both kinds use.
    AsPushed,
}

/// What a client gets that reads a whole list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reads {
    /// What goes into the next prompt: the summary, then the newest whole turns.
    Context,
    /// Every element, exactly.
    History,
    /// A context for messages in a dialect of LangChain's, whose clients put what they read straight into a prompt;
    /// else the history.
    ByDialect,
}

/// Which part of a session a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The list of its messages.
    Messages,
    /// The hash with when it began and was last written to.
    Fields,
    /// A key that a client names and never fills.
    Nothing,
}

/// How one family of clients names and reads its sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What stands before and after the session id in a key.
    pub keys: Vec<(String, String, Part)>,
    /// Where the newest message stands.
    pub order: Order,
    /// The dialects that its clients read; the first is what other messages are turned into. Empty: whatever was
    /// pushed last.
    pub dialects: Vec<Dialect>,
    /// What reading a whole list gives.
    pub reads: Reads,
    /// The most tokens of a context; without it, the session's window and what the summary does not cover.
    pub tokens: Option<u32>,
    /// Only keys of this database (`SELECT`); any without one.
    pub database: Option<u32>,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiles(Vec<Profile>);

/// What a key means.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) profile: &'a Profile,
    pub(super) part: Part,
    pub(super) session: SessionId,
}

impl Profile {
    /// A profile of lists whose key is `before`, the session id, and `after`.
    pub fn new(name: &str, before: &str, after: &str, order: Order) -> Self {
        Self {
            name: name.to_owned(),
            keys: vec![(before.to_owned(), after.to_owned(), Part::Messages)],
            order,
            dialects: Vec::new(),
            reads: Reads::ByDialect,
            tokens: None,
            database: None,
        }
    }

    fn find(&self, key: &str) -> Option<(Part, SessionId)> {
        self.keys.iter().find_map(|(before, after, part)| {
            let id = key.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
            Some((*part, SessionId::parse(id).ok()?))
        })
    }
}

impl Default for Profiles {
    /// The clients that are known by their keys, and last those that use the session id as it is.
    fn default() -> Self {
        let with = |profile: Profile, dialects: &[Dialect], reads: Reads| Profile {
            dialects: dialects.to_vec(),
            reads,
            ..profile
        };
        let mut agents = with(
            Profile::new("openai-agents", "agents:session:", ":messages", Order::OldestFirst),
            &[Dialect::OpenAiItems],
            Reads::History,
        );
        agents.keys.push(("agents:session:".to_owned(), ":counter".to_owned(), Part::Nothing));
        agents.keys.push(("agents:session:".to_owned(), String::new(), Part::Fields));
        let framework = [Dialect::AgentFramework, Dialect::AgentFramework2025];
        Self(vec![
            agents,
            with(
                Profile::new("langchain-python", "message_store:", "", Order::NewestFirst),
                &[Dialect::LangChainPython],
                Reads::Context,
            ),
            with(
                Profile::new("agent-framework", "chat_messages|v2|", "", Order::OldestFirst),
                &framework,
                Reads::History,
            ),
            with(
                Profile::new("agent-framework", "chat_messages:", "", Order::OldestFirst),
                &framework,
                Reads::History,
            ),
            Profile::new("session-id", "", "", Order::AsPushed),
        ])
    }
}

impl Profiles {
    /// The same table with profiles of the user's own before it.
    #[must_use]
    pub fn with(mut self, own: Vec<Profile>) -> Self {
        self.0.splice(0..0, own);
        self
    }

    /// The profiles, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.iter()
    }

    /// What a key means.
    ///
    /// # Errors
    /// The reply for a key that is no session's.
    pub(super) fn locate(&self, database: u32, key: &[u8]) -> Result<Place<'_>, Reply> {
        const NO_KEY: &str = "ERR a key holds a session id here: UTF-8 text that is not empty";
        let key = std::str::from_utf8(key).map_err(|_| Reply::error(NO_KEY))?;
        self.0
            .iter()
            .filter(|profile| profile.database.is_none_or(|own| own == database))
            .find_map(|profile| {
                let (part, session) = profile.find(key)?;
                Some(Place { profile, part, session })
            })
            .ok_or_else(|| Reply::error(NO_KEY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_sessions() {
        let table = Profiles::default();
        let check = |key: &str, profile: &str, part: Part, session: &str| {
            let place = table.locate(0, key.as_bytes()).unwrap();
            assert_eq!((&*place.profile.name, place.part, place.session.as_str()), (profile, part, session));
        };
        check("user-42", "session-id", Part::Messages, "user-42");
        check("message_store:user-42", "langchain-python", Part::Messages, "user-42");
        check("message_store:message_store:x", "langchain-python", Part::Messages, "message_store:x");
        check("agents:session:a b", "openai-agents", Part::Fields, "a b");
        check("agents:session:a:b:messages", "openai-agents", Part::Messages, "a:b");
        check("agents:session:a:counter", "openai-agents", Part::Nothing, "a");
        check("chat_messages:t", "agent-framework", Part::Messages, "t");
        check(
            "chat_messages|v2|~none|app|~none|s|t",
            "agent-framework",
            Part::Messages,
            "~none|app|~none|s|t",
        );
        // What is left is a session id, too.
        check("agents:session:", "session-id", Part::Messages, "agents:session:");
        check("message_store:", "session-id", Part::Messages, "message_store:");
        assert!(table.locate(0, b"").is_err());
        assert!(table.locate(0, b"\xff").is_err());
    }

    #[test]
    fn a_profile_of_ones_own_comes_first_and_may_have_a_database() {
        let mut own = Profile::new("mine", "", "", Order::OldestFirst);
        own.database = Some(1);
        let table = Profiles::default().with(vec![own]);
        let name = |database| table.locate(database, b"message_store:x").unwrap().profile.name.clone();
        assert_eq!((name(0), name(1)), ("langchain-python".to_owned(), "mine".to_owned()));
    }
}
