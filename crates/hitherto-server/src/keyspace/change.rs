//! Changing lists: `LPOP`, `RPOP`, `LTRIM`, `LREM`, `LSET`.
//!
//! Invariant: what is taken from a list is deleted from its session, once, and nothing else is.

use hitherto::{Direction, Element, End, Message, Seq};
use tokio::time::Instant;

use super::command::Command;
use super::profile::Place;
use super::read::{Outcome, count_of};
use super::table::Op;
use super::variant::Variant;
use super::{Client, Keyspace, Reply, errors};

/// How often a change looks again when others change the same list.
const TRIES: usize = 16;

/// How many elements are popped before a look whether that is enough.
const POPPED: u32 = 256;

const OUT_OF_RANGE: &str = "ERR index out of range";

impl Keyspace {
    pub(super) async fn pop(&self, client: &Client, op: Op, command: &Command) -> Outcome {
        if !command.rest(3).is_empty() {
            return Err(super::command::wrong_number(if op == Op::LPop { "lpop" } else { "rpop" }));
        }
        let count = count_of(command, 2)?;
        let nothing = || if count.is_some() { Reply::NullList } else { Reply::Null };
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(nothing()) };
        let variant = self.told(&place).await?;
        let end = if variant.newest_first == (op == Op::LPop) { End::Newest } else { End::Oldest };
        let wanted = count.unwrap_or(1);
        if wanted == 0 {
            let there = self.describe(&place.session).await?.is_some();
            return Ok(if there { Reply::List(Vec::new()) } else { nothing() });
        }
        let (mut elements, mut bytes): (Vec<Reply>, usize) = (Vec::new(), 0);
        let begun = Instant::now();
        let mut missing = wanted;
        // What is taken is nowhere else, so it is given: where it becomes too much or takes too long, or the store fails
        // in the middle, as much as there is, and the rest stays in the list.
        while missing > 0
            && bytes <= self.shared.options.reply_limit
            && begun.elapsed() < self.shared.options.deadline / 2
        {
            let some = missing.min(POPPED);
            let taken = match self.memory().take(&place.session, end, some).await {
                Err(error) if elements.is_empty() => return Err(errors::reply(error)),
                taken => taken.unwrap_or_default(),
            };
            missing = missing.saturating_sub(some);
            let ended = u32::try_from(taken.len()).is_ok_and(|taken| taken < some);
            for message in taken.iter().map(|element| &element.message) {
                bytes += message.payload().len();
                elements.extend(self.first(message, variant).map(Reply::Bulk));
            }
            if ended {
                break;
            }
        }
        Ok(match count {
            _ if elements.is_empty() => nothing(),
            Some(_) => Reply::List(elements),
            None => elements.into_iter().next().unwrap_or(Reply::Null),
        })
    }

    /// How a list looks, by its newest element.
    async fn told(&self, place: &Place<'_>) -> Result<Variant, Reply> {
        let Place { profile, session, .. } = place;
        let guess = self.variant(profile, session);
        if Variant::is_fixed(profile) {
            return Ok(guess);
        }
        let newest =
            self.memory().elements(session, Direction::Before(Seq::MAX), 1).await.map_err(errors::reply)?;
        let message = newest.elements.first().map(|element| &element.message);
        self.look(
            profile,
            session,
            guess,
            message.filter(|m| Variant::is_told_by(profile, m)),
            message.is_none(),
        )
        .await
    }

    pub(super) async fn ltrim(&self, client: &Client, command: &Command) -> Outcome {
        let (start, stop) = (command.integer(2)?, command.integer(3)?);
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(Reply::OK) };
        let length = self.length(&place.session).await?;
        let (head, tail) = cut(start, stop, length);
        if head + tail == 0 {
            return Ok(Reply::OK);
        }
        if head + tail >= length {
            self.clear(&place.session).await?;
            return Ok(Reply::OK);
        }
        let variant = self.told(&place).await?;
        let (newest, oldest) = if variant.newest_first { (head, tail) } else { (tail, head) };
        for (end, mut count) in [(End::Newest, newest), (End::Oldest, oldest)] {
            while count > 0 {
                let some = u32::try_from(count).unwrap_or(u32::MAX).min(self.memory().limits().page);
                let taken = self.memory().take(&place.session, end, some).await.map_err(errors::reply)?;
                if taken.is_empty() {
                    break;
                }
                count = count.saturating_sub(taken.len() as u64);
            }
        }
        Ok(Reply::OK)
    }

    pub(super) async fn lrem(&self, client: &Client, command: &Command) -> Outcome {
        let count = command.integer(2)?;
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(Reply::Int(0)) };
        let (mut all, variant) = self.all(&place).await?;
        if count < 0 {
            all.reverse();
        }
        let most = if count == 0 { u64::MAX } else { count.unsigned_abs() };
        let equal = all
            .into_iter()
            .flatten()
            .filter(|element| self.first(&element.message, variant).as_ref() == Some(command.word(3)))
            .take(usize::try_from(most).unwrap_or(usize::MAX))
            .collect();
        let gone = self.memory().take_elements(&place.session, equal).await.map_err(errors::reply)?;
        Ok(Reply::count(gone.len() as u64))
    }

    pub(super) async fn lset(&self, client: &Client, command: &Command) -> Outcome {
        let none = || Reply::error("ERR no such key");
        let Some(place) = self.list(client, command.word(1)).await? else { return Err(none()) };
        let Some(at) = self.position(&place, command).await? else { return Err(none()) };
        for _ in 0..TRIES {
            let Some((element, _)) = self.element(&place, at).await? else {
                let there = self.describe(&place.session).await?.is_some();
                return Err(if there { Reply::error(OUT_OF_RANGE) } else { none() });
            };
            let message = replacement(&element, command)?;
            if self
                .memory()
                .replace_element(&place.session, &element, message)
                .await
                .map_err(errors::reply)?
            {
                return Ok(Reply::OK);
            }
        }
        Err(Reply::error(format!("BUSY the list changed {TRIES} times meanwhile")))
    }
}

/// The new message, of the speaker of the old one: a turn begins where it began.
fn replacement(element: &Element, command: &Command) -> Result<Message, Reply> {
    let message = Message::detect(command.word(3).clone()).pushed(element.message.pushed_at());
    if message.role() != element.message.role() {
        return Err(Reply::error(format!(
            "ERR the message there is of role {}, and so must be what replaces it",
            element.message.role().as_str()
        )));
    }
    Ok(message)
}

/// How many elements go from the head and from the tail of a list of that length.
fn cut(start: i64, stop: i64, length: u64) -> (u64, u64) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let absolute = |at: i64| if at < 0 { length.saturating_add(at) } else { at };
    let (start, stop) = (absolute(start).max(0), absolute(stop).min(length - 1));
    if start > stop {
        return (length.unsigned_abs(), 0);
    }
    (start.unsigned_abs(), (length - 1 - stop).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts() {
        for (start, stop, length, expected) in [
            (0, -1, 5, (0, 0)),
            (-100, -1, 5, (0, 0)),
            (-2, -1, 5, (3, 0)),
            (0, 1, 5, (0, 3)),
            (1, 3, 5, (1, 1)),
            (5, 9, 5, (5, 0)),
            (3, 1, 5, (5, 0)),
            (0, 99, 5, (0, 0)),
            (0, -1, 0, (0, 0)),
        ] {
            assert_eq!(cut(start, stop, length), expected, "{start} {stop} of {length}");
        }
    }
}
