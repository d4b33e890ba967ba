//! A random operation: how it is made, and how it is done to a store and to the model.

use hitherto::store::{Batch, Change, Commit, Configure, Entry, Pop, Range, Replaced, Seq};
use hitherto::summary::{Hint, PolicyChange};
use hitherto::{Message, Restart, Role, Scope, SessionQuery, Timestamp, TtlChange, UserId, Window};
use proptest::collection::vec;
use proptest::prelude::*;

use super::answer::{Answer, Known, in_order};
use super::sessions::Sessions;
use crate::suite::folding::{commit, policy};
use crate::suite::{Chat, Subject, new_id, once_key, records, ttl_of, user as a_user};

/// The sessions: a few, so that they meet, under names that would meet if they were not taken literally.
pub(super) const NAMES: [&str; 3] = ["a", "a:b", "}{*"];

/// The users, likewise.
const USERS: [&str; 2] = ["u", "u:1"];

/// One operation on one of the sessions.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Append {
        session: usize,
        roles: Vec<Role>,
        once: Option<(u8, u8)>,
        ttl: TtlChange,
        max: Change<u64>,
        hint: Option<Hint>,
        user: Option<usize>,
    },
    /// Removes everything of a user.
    Erase {
        user: usize,
    },
    /// Puts a summary of the messages up to a number; `stale` expects another one than stands there.
    Summarise {
        session: usize,
        upto: Seq,
        stale: bool,
    },
    Summary {
        session: usize,
    },
    Read {
        session: usize,
        range: Range,
    },
    /// Edits, with a text, or deletes; `stale` compares with something that does not stand there.
    Replace {
        session: usize,
        seq: Seq,
        text: Option<String>,
        stale: bool,
    },
    Pop {
        session: usize,
        what: Pop,
    },
    Fork {
        session: usize,
        to: usize,
        upto: Option<Seq>,
    },
    Clear {
        session: usize,
    },
    Configure {
        session: usize,
        ttl: TtlChange,
        max: Change<u64>,
        metadata: Change<String>,
        policy: Change<(PolicyChange, Hint)>,
    },
    Describe {
        session: usize,
    },
    List {
        prefix: &'static str,
        limit: u32,
        user: Option<usize>,
    },
    /// So many times ten seconds pass. Times to live end in five, so no answer hangs on the moment of a call.
    Advance {
        tens: u64,
    },
}

fn a_role() -> impl Strategy<Value = Role> {
    prop_oneof![
        4 => Just(Role::User), 4 => Just(Role::Assistant), 1 => Just(Role::Tool), 1 => Just(Role::System)
    ]
}

fn a_ttl() -> impl Strategy<Value = TtlChange> {
    let restart = prop_oneof![Just(Restart::Write), Just(Restart::Read), Just(Restart::Never)];
    let set =
        (prop_oneof![Just(25), Just(65), Just(305)], restart, 0..4).prop_map(|(secs, restart, start)| {
            match ttl_of(secs, restart) {
                TtlChange::Set(ttl) if start == 0 => TtlChange::Start(ttl),
                change => change,
            }
        });
    prop_oneof![6 => Just(TtlChange::Keep), 4 => set, 1 => Just(TtlChange::Remove)]
}

fn a_max() -> impl Strategy<Value = Change<u64>> {
    prop_oneof![7 => Just(Change::Keep), 2 => (1..9_u64).prop_map(Change::Set), 1 => Just(Change::Remove)]
}

fn a_range() -> impl Strategy<Value = Range> {
    let seq = || prop_oneof![9 => 0..25_u64, 1 => Just(Seq::MAX)];
    let limit = || prop_oneof![9 => 0..12_u32, 1 => Just(u32::MAX)];
    prop_oneof![
        2 => (0..6_u32).prop_map(|turns| Range::Window(Window::Turns(turns))),
        2 => (0..12_u32).prop_map(|messages| Range::Window(Window::Messages(messages))),
        1 => (0..1500_u64).prop_map(|bytes| Range::Window(Window::Bytes(bytes))),
        2 => (0..4_u32, limit()).prop_map(|(turns, extra)| Range::Unfolded(turns, extra)),
        1 => (seq(), limit()).prop_map(|(seq, limit)| Range::After(seq, limit)),
        1 => (seq(), limit()).prop_map(|(seq, limit)| Range::Before(seq, limit)),
    ]
}

fn a_hint() -> impl Strategy<Value = Hint> {
    let turns = prop_oneof![3 => 0..6_u32, 1 => Just(u32::MAX)];
    let bytes = prop_oneof![1 => 0..2000_u64, 3 => Just(u64::MAX)];
    (turns, bytes).prop_map(|(turns, bytes)| Hint { turns, bytes })
}

/// Any operation.
pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let session = || 0..NAMES.len();
    let seq = || 0..25_u64;
    let append = (
        session(),
        vec(a_role(), 1..6),
        proptest::option::weighted(0.3, (0..3_u8, prop_oneof![8 => Just(0_u8), 1 => Just(1)])),
        a_ttl(),
        a_max(),
        proptest::option::of(a_hint()),
        proptest::option::weighted(0.3, 0..USERS.len()),
    )
        .prop_map(|(session, roles, once, ttl, max, hint, user)| Operation::Append {
            session,
            roles,
            once,
            ttl,
            max,
            hint,
            user,
        });
    let replace = (session(), seq(), proptest::option::of("[a-zé\"]{0,12}"), proptest::bool::weighted(0.1))
        .prop_map(|(session, seq, text, stale)| Operation::Replace { session, seq, text, stale });
    let metadata = prop_oneof![
        4 => Just(Change::Keep), 2 => "[a-z]{0,5}".prop_map(|text| Change::Set(format!("{{\"a\":\"{text}\"}}"))),
        1 => Just(Change::Remove)
    ];
    let policy = prop_oneof![
        6 => Just(Change::Keep),
        2 => (0..9_u32, a_hint()).prop_map(|(window, hint)| Change::Set((policy(window), hint))),
        1 => Just(Change::Remove)
    ];
    prop_oneof![
        10 => append,
        6 => (session(), a_range()).prop_map(|(session, range)| Operation::Read { session, range }),
        6 => replace,
        4 => (session(), prop_oneof![Just(Pop::Message), Just(Pop::Turn)])
            .prop_map(|(session, what)| Operation::Pop { session, what }),
        2 => (session(), session(), proptest::option::of(seq()))
            .prop_map(|(session, to, upto)| Operation::Fork { session, to, upto }),
        1 => session().prop_map(|session| Operation::Clear { session }),
        3 => (session(), a_ttl(), a_max(), metadata, policy).prop_map(
            |(session, ttl, max, metadata, policy)| Operation::Configure { session, ttl, max, metadata, policy }
        ),
        6 => (session(), 1..25_u64, proptest::bool::weighted(0.1))
            .prop_map(|(session, upto, stale)| Operation::Summarise { session, upto, stale }),
        2 => session().prop_map(|session| Operation::Summary { session }),
        3 => session().prop_map(|session| Operation::Describe { session }),
        1 => (0..USERS.len()).prop_map(|user| Operation::Erase { user }),
        3 => (
            prop_oneof![Just(""), Just("a"), Just("a:"), Just("*")],
            1..4_u32,
            proptest::option::of(0..USERS.len())
        )
            .prop_map(|(prefix, limit, user)| Operation::List { prefix, limit, user }),
        4 => prop_oneof![4 => 1..4_u64, 1 => 10..40_u64].prop_map(|tens| Operation::Advance { tens }),
    ]
}

/// The batch of an append, its texts taken from its place in the run so that none is like another.
fn batch(roles: &[Role], step: usize, now: Timestamp) -> Batch {
    let texts = roles.iter().enumerate().map(|(index, role)| {
        Message::new(*role, &"x".repeat(index)).with("n", &format!("{step}/{index}").into())
    });
    Batch {
        records: records(texts, now),
        once: None,
        ttl: TtlChange::Keep,
        max_messages: Change::Keep,
        hint: None,
        count: true,
        user: None,
    }
}

impl Operation {
    /// Does it to the store and to the model, and gives both answers.
    pub(super) async fn run(
        &self,
        on: &Subject,
        scope: &Scope,
        model: &mut Sessions,
        step: usize,
    ) -> [Answer; 2] {
        let now = on.now();
        model.expire(now);
        let chat = |session: usize| on.chat_in(scope, NAMES[session]);
        let store = on.store();
        match self {
            Self::Append { session, roles, once, ttl, max, hint, user } => {
                let once = once.and_then(|(key, what)| once_key(&format!("k{key}"), what.into()));
                let batch = Batch {
                    once,
                    ttl: *ttl,
                    max_messages: *max,
                    hint: *hint,
                    user: user.map(|user| a_user(USERS[user])),
                    ..batch(roles, step, now)
                };
                let chat = chat(*session);
                let answer = store.append(hitherto::store::At { key: &chat.key, now }, batch.clone()).await;
                [Answer::Receipt(answer), model.append(NAMES[*session], now, batch)]
            }
            Self::Read { session, range } => {
                let slice = chat(*session).read(*range).await;
                let window = matches!(range, Range::Window(_) | Range::Unfolded(..));
                let answer = if window { Answer::window(slice) } else { Answer::Slice(slice) };
                [answer, model.read(NAMES[*session], now, *range)]
            }
            Self::Replace { session, seq, text, stale } => {
                replace(&chat(*session), model.get(NAMES[*session]), *seq, text.as_deref(), *stale).await
            }
            Self::Pop { session, what } => {
                let popped = store.pop(chat(*session).at(), *what).await.unwrap();
                let popped: Vec<Entry> = popped.into_iter().filter(|entry| entry.live().is_some()).collect();
                [Answer::Popped(popped), model.pop(NAMES[*session], now, *what)]
            }
            Self::Fork { session, to, upto } => [
                Answer::Forked(chat(*session).fork(&chat(*to), *upto).await),
                model.fork(NAMES[*session], now, NAMES[*to], *upto),
            ],
            Self::Clear { session } => {
                [Answer::Cleared(chat(*session).clear().await), model.clear(NAMES[*session])]
            }
            Self::Summarise { session, upto, stale } => {
                let (chat, name) = (chat(*session), NAMES[*session]);
                // Counting what it covers reads the session.
                let summary = chat.summary_of(*upto).await;
                model.read(name, now, Range::After(0, 0));
                let current = model.get(name).and_then(|known| known.summary());
                let other = stale.then(new_id);
                let commit = commit(current.as_ref(), &summary);
                let commit = Commit { expected: other.or(commit.expected), ..commit };
                [Answer::Committed(chat.commit(&commit).await), model.commit(name, commit)]
            }
            Self::Summary { session } => {
                [Answer::summary(&chat(*session).summary().await), model.state(NAMES[*session], now)]
            }
            Self::Configure { session, ttl, max, metadata, policy } => {
                let change =
                    Configure { ttl: *ttl, max_messages: *max, metadata: metadata.clone(), policy: *policy };
                let answer = chat(*session).try_configure(change.clone()).await;
                [Answer::Configured(answer), model.configure(NAMES[*session], now, &change)]
            }
            Self::Describe { session } => {
                let known = chat(*session).description().await.map(Known::from);
                [Answer::Described(known), model.describe(NAMES[*session])]
            }
            Self::Erase { user } => {
                let erased = on.erase(&scope.tenant, USERS[*user]).await;
                let answer = Answer::Erased(erased.sessions, erased.messages, erased.bytes);
                [answer, model.erase(&a_user(USERS[*user]))]
            }
            Self::List { prefix, limit, user } => {
                let user = user.map(|user| a_user(USERS[user]));
                [list(on, scope, prefix, *limit, user.clone()).await, model.list(prefix, user.as_ref())]
            }
            Self::Advance { tens } => {
                on.advance(tens * 10).await;
                [Answer::Nothing, Answer::Nothing]
            }
        }
    }
}

/// Replaces what stands at a place, which both must agree on, or something that does not.
async fn replace(
    chat: &Chat,
    model: Option<&mut super::session::Session>,
    seq: Seq,
    text: Option<&str>,
    stale: bool,
) -> [Answer; 2] {
    let now = chat.on.now();
    let standing = model.as_ref().and_then(|session| session.at(seq)).cloned();
    let mut old = standing.unwrap_or_else(|| records([Message::user("nobody's")], now).remove(0));
    if old.message.is_none() {
        // A deletion or an edit is of a message; of a deleted one the engine asks nothing of a store.
        return [Answer::Nothing, Answer::Nothing];
    }
    if stale {
        old.edited_at = Some(Timestamp::from_millis(1));
    }
    let new = text.map_or_else(|| old.deleted(), |text| chat.edited(&old, text));
    let replaced = chat.replace(seq, &old, &new).await;
    let expected = model.map_or(Replaced::Changed, |session| session.replace(now, seq, &old, &new));
    [Answer::Replaced(replaced), Answer::Replaced(expected)]
}

/// The whole list, page by page.
pub(super) async fn list(
    on: &Subject,
    scope: &Scope,
    prefix: &str,
    limit: u32,
    user: Option<UserId>,
) -> Answer {
    let mut query = SessionQuery { prefix: prefix.to_owned(), user, after: None, limit };
    let mut pages = Vec::new();
    loop {
        let page = on.store().sessions(scope, on.now(), &query).await.unwrap();
        query.after = page.next.clone();
        pages.push(page);
        assert!(pages.len() < 100, "the list of sessions has no end");
        if query.after.is_none() {
            // In a user's list the order is that of the appends which named the user.
            return Answer::Listed(in_order(pages, limit, query.user.is_none().then(|| on.slack())));
        }
    }
}
