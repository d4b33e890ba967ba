//! Appending: `LPUSH`, `RPUSH` and their kin, and what comes with them.
//!
//! Invariant: pushes to one session that arrive together, in a pipeline or a transaction, are one append with the
//! expiry that follows them: stored whole or not at all, next to one another, in one trip.

use bytes::Bytes;
use hitherto::{
    AppendOptions, Appended, Dialect, ListEnd, Message, Restart, Role, SessionId, Ttl, TtlChange,
};

use super::command::Command;
use super::profile::{Order, Part, Profile};
use super::repeats::Repeated;
use super::table::Op;
use super::variant::Variant;
use super::{Client, Keyspace, Reply, errors, expiry};

/// Commands about one session that are carried out together.
#[derive(Debug, Default)]
struct Run {
    messages: Vec<Message>,
    bytes: usize,
    steps: Vec<Step>,
    ttl: TtlChange,
}

/// What a command of a run is answered.
#[derive(Debug)]
enum Step {
    /// How many elements the list has with so many of the run in it.
    Push { upto: usize },
    /// Whether the key has an expiry now.
    Expire(bool),
    /// How many fields were new, if the session is.
    Fields(i64),
}

const BEFORE_ALL: &str = "ERR this would put a message before all that was said: lists of conversations grow at their \
                          newer end only, which is the ";

impl Keyspace {
    /// Carries out the pushes that these commands begin with, and says how many commands that were: none if they
    /// begin with something else.
    pub(super) async fn pushes(
        &self,
        client: &mut Client,
        commands: &[Command],
        replies: &mut Vec<Reply>,
    ) -> Option<usize> {
        let (first, op, leads) = first_push(commands)?;
        let key = first.word(1).clone();
        let place = match self.list(client, &key).await {
            Ok(Some(place)) => place,
            Ok(None) | Err(_) if !leads => return None,
            Ok(None) => {
                replies.push(Reply::error("ERR nothing is kept under this key"));
                return Some(1);
            }
            Err(reply) => {
                replies.push(reply);
                return Some(1);
            }
        };
        match self.repeated(client, &place.session, first, op, leads).await {
            Ok(Repeated::No) => {}
            // What stands before it goes first, alone.
            Ok(Repeated::Later) => return None,
            Ok(Repeated::Was(length)) => {
                replies.push(Reply::count(length));
                return Some(1);
            }
            Err(reply) => {
                replies.push(reply);
                return Some(1);
            }
        }
        let (profile, session) = (place.profile, place.session.clone());
        let run = self.collect(client, &session, op, commands);
        if run.messages.is_empty() {
            // What leads is about another session.
            return None;
        }
        let used = run.steps.len();
        match self.push(client, profile, &session, op, run).await {
            Ok(done) => replies.extend(done),
            Err(reply) => replies.extend(std::iter::repeat_n(reply, used)),
        }
        Some(used)
    }

    /// The commands that go with the first push: those that follow it at once, of the same session, and do nothing
    /// else.
    fn collect(&self, client: &Client, session: &SessionId, op: Op, commands: &[Command]) -> Run {
        let limits = self.memory().limits();
        let mut run = Run::default();
        for command in commands {
            let Ok(entry) = command.entry() else { break };
            let Ok(place) = self.place(client, command.word(1)) else { break };
            if place.session != *session {
                break;
            }
            let step = match (entry.op, place.part) {
                (found, Part::Messages) if found == op => {
                    let elements = command.rest(2);
                    let bytes = run.bytes + elements.iter().map(Bytes::len).sum::<usize>();
                    let full = run.messages.len() + elements.len() > limits.messages_per_append
                        || bytes > limits.append_bytes;
                    if full && !run.messages.is_empty() {
                        break;
                    }
                    run.bytes = bytes;
                    run.messages.extend(elements.iter().cloned().map(Message::detect));
                    Step::Push { upto: run.messages.len() }
                }
                (Op::HSet | Op::HSetNx, Part::Fields) if super::hash::is_known(command) => {
                    Step::Fields(i64::try_from(command.rest(2).len() / 2).unwrap_or(0))
                }
                (Op::Expire | Op::PExpire | Op::ExpireAt | Op::PExpireAt, part)
                    if !run.messages.is_empty() =>
                {
                    let Some(left) = expiry::simple(entry.op, command) else { break };
                    let Ok(ttl) = Ttl::new(left) else { break };
                    run.ttl = TtlChange::Start(ttl.restarted_by(Restart::Never));
                    Step::Expire(part != Part::Nothing)
                }
                _ => break,
            };
            run.steps.push(step);
        }
        run
    }

    async fn push(
        &self,
        client: &mut Client,
        profile: &Profile,
        session: &SessionId,
        op: Op,
        mut run: Run,
    ) -> Result<Vec<Reply>, Reply> {
        let end = self.end(profile, session, op, &run.messages).await?;
        if profile.order == Order::AsPushed {
            run.messages = run.messages.into_iter().map(|message| message.pushed(Some(end))).collect();
        }
        self.shared.holds.take(client, &self.key(session)).await;
        let newest = run.messages.last().cloned();
        let mut options = AppendOptions::default();
        options.ttl = run.ttl;
        options.count = true;
        let appended = self.memory().append(session, run.messages, &options).await;
        if appended.is_err() || newest.as_ref().is_none_or(ends_turn) {
            self.shared.holds.release(client);
        }
        let Appended { first_seq, messages, ids, .. } = appended.map_err(errors::reply)?;
        let length = messages.unwrap_or(0);
        if first_seq > 1 && length == ids.len() as u64 && run.ttl == TtlChange::Keep {
            self.begin_anew(session).await;
        }
        if profile.order == Order::AsPushed {
            self.shared.variants.learn(profile, &self.key(session), Variant::of(profile, newest.as_ref()));
        }
        let (before, all) = (length.saturating_sub(ids.len() as u64), ids.len() as u64);
        let replies = run.steps.into_iter().map(|step| match step {
            Step::Push { upto } => Reply::count(length.saturating_sub(all - upto as u64)),
            Step::Expire(there) => Reply::flag(there),
            Step::Fields(fields) => Reply::Int(if before == 0 { fields } else { 0 }),
        });
        Ok(replies.collect())
    }

    /// Takes the expiry from a list that was empty before what was pushed just now: in Redis it went with what it was
    /// of. The push is stored whatever comes of this, so it is acknowledged: an error would have it sent again.
    async fn begin_anew(&self, session: &SessionId) {
        let done = match self.memory().describe(session).await {
            // One that holds so many at most was full before, not empty.
            Ok(Some(found)) if found.ttl.is_some() && found.max_messages.is_none() => {
                self.memory().set_ttl(session, TtlChange::Remove).await
            }
            found => found.map(drop),
        };
        if let Err(error) = done {
            tracing::warn!(%session, %error, "a list that was emptied keeps its expiry");
        }
    }

    /// At which end of the list these messages come to stand.
    async fn end(
        &self,
        profile: &Profile,
        session: &SessionId,
        op: Op,
        messages: &[Message],
    ) -> Result<ListEnd, Reply> {
        let llama = |message: &Message| {
            matches!(
                message.dialect(),
                Dialect::LlamaIndex | Dialect::LlamaIndexContent | Dialect::LlamaIndexTyped
            )
        };
        match (op, profile.order) {
            (Op::LPush, Order::NewestFirst) => Ok(ListEnd::Head),
            (Op::LPush, Order::AsPushed) if !messages.iter().all(llama) => Ok(ListEnd::Head),
            (Op::LPush, _) => {
                // LlamaIndex deletes one message by writing the others anew at the wrong end; by what it means, the
                // conversation is not turned round.
                if self.describe(session).await?.is_some() {
                    return Err(Reply::error(format!("{BEFORE_ALL}tail here: use RPUSH")));
                }
                Ok(ListEnd::Tail)
            }
            (_, Order::NewestFirst) => Err(Reply::error(format!("{BEFORE_ALL}head here: use LPUSH"))),
            _ => Ok(ListEnd::Tail),
        }
    }

    /// `LPUSHX`, `RPUSHX`: pushes onto a list that is there.
    pub(super) async fn push_if_there(
        &self,
        client: &mut Client,
        op: Op,
        command: &Command,
    ) -> Result<Reply, Reply> {
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(Reply::Int(0)) };
        if self.describe(&place.session).await?.is_none() {
            return Ok(Reply::Int(0));
        }
        let name = if op == Op::LPushX { "lpush" } else { "rpush" };
        let mut words = vec![Bytes::from_static(name.as_bytes())];
        words.extend_from_slice(command.rest(1));
        let mut replies = Vec::new();
        self.pushes(client, &[Command::new(words)], &mut replies).await;
        replies.pop().ok_or_else(|| Reply::error("ERR nothing was pushed"))
    }
}

/// The first push of these commands, where nothing stands before it but fields of a hash, and whether it is the first
/// of them.
fn first_push(commands: &[Command]) -> Option<(&Command, Op, bool)> {
    for (at, command) in commands.iter().enumerate() {
        let entry = command.entry().ok()?;
        match entry.op {
            Op::LPush | Op::RPush => return Some((command, entry.op, at == 0)),
            Op::HSet | Op::HSetNx => {}
            _ => return None,
        }
    }
    None
}

/// Whether a turn is said to its end with that message: not with a question, and not with a call of a tool or what it
/// gave, after which the answer is still to come.
fn ends_turn(newest: &Message) -> bool {
    match newest.role() {
        Role::User | Role::Tool => false,
        Role::Assistant => newest.tool_calls().is_empty(),
        Role::System => true,
    }
}
