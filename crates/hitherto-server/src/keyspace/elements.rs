//! The elements of a list one by one: `LINDEX`, `LPOS`, and finding what `LSET` and `LREM` change.
//!
//! Invariant: an element that cannot be read keeps its position, and no other is given for it.

use bytes::Bytes;
use hitherto::{Element, Message};

use super::command::{Command, SYNTAX};
use super::profile::Place;
use super::read::{Outcome, mirror, told};
use super::variant::Variant;
use super::{Client, Keyspace, Reply, errors, slice};

impl Keyspace {
    pub(super) async fn lindex(&self, client: &Client, command: &Command) -> Outcome {
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(Reply::Null) };
        let Some(at) = self.position(&place, command).await? else { return Ok(Reply::Null) };
        let found = self.element(&place, at).await?;
        Ok(found.map_or(Reply::Null, |(element, variant)| {
            self.first(&element.message, variant).map_or(Reply::Null, Reply::Bulk)
        }))
    }

    /// The position that a command names, which is looked at only where there is a list.
    pub(super) async fn position(&self, place: &Place<'_>, command: &Command) -> Result<Option<i64>, Reply> {
        match command.integer(2) {
            Err(_) if self.describe(&place.session).await?.is_none() => Ok(None),
            position => position.map(Some),
        }
    }

    /// The element of a position, and how its list looks.
    pub(super) async fn element(
        &self,
        place: &Place<'_>,
        at: i64,
    ) -> Result<Option<(Element, Variant)>, Reply> {
        let Place { profile, session, .. } = place;
        let mut variant = self.variant(profile, session);
        for _ in 0..2 {
            let position = if variant.newest_first { mirror(at) } else { at };
            let found = slice::between(self.memory(), session, position, position, self.bound())
                .await
                .map_err(errors::reply)?;
            let Some(element) = found.elements.into_iter().next().flatten() else { return Ok(None) };
            let told = Some(&element.message).filter(|message| Variant::is_told_by(profile, message));
            let seen = self.look(profile, session, variant, told, false).await?;
            if seen.newest_first == variant.newest_first {
                return Ok(Some((element, seen)));
            }
            variant = seen;
        }
        Ok(None)
    }

    pub(super) fn first(&self, message: &Message, variant: Variant) -> Option<Bytes> {
        self.shared.translations.elements(message, variant.dialect).into_iter().next()
    }

    pub(super) async fn lpos(&self, client: &Client, command: &Command) -> Outcome {
        let (mut rank, mut count, mut most) = (1_i64, None, 0_i64);
        let mut at = 3;
        while !command.rest(at).is_empty() {
            let value = command.integer(at + 1);
            match command.upper(at).as_str() {
                "RANK" => rank = value?,
                "COUNT" => count = Some(value?),
                "MAXLEN" => most = value?,
                _ => return Err(Reply::error(SYNTAX)),
            }
            at += 2;
        }
        if rank == 0 {
            return Err(Reply::error(
                "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
            ));
        }
        if count.is_some_and(|count| count < 0) || most < 0 {
            return Err(Reply::error(if most < 0 {
                "ERR MAXLEN can't be negative"
            } else {
                "ERR COUNT can't be negative"
            }));
        }
        let nothing = || if count.is_some() { Reply::List(Vec::new()) } else { Reply::Null };
        let Some(place) = self.list(client, command.word(1)).await? else { return Ok(nothing()) };
        let (all, variant) = self.all(&place).await?;
        let mut positions: Vec<usize> = (0..all.len()).collect();
        if rank < 0 {
            positions.reverse();
        }
        if most > 0 {
            positions.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        let wanted = command.word(2);
        let found = positions
            .into_iter()
            .filter(|at| {
                let element = all.get(*at).and_then(Option::as_ref);
                element.and_then(|element| self.first(&element.message, variant)).as_ref() == Some(wanted)
            })
            .skip(usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX))
            .map(|at| Reply::count(at as u64));
        Ok(match count {
            None => found.take(1).next().unwrap_or(Reply::Null),
            Some(0) => Reply::List(found.collect()),
            Some(count) => Reply::List(found.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()),
        })
    }

    /// Every element of a list, as the list has them, head first; nothing in the place of one that cannot be read.
    pub(super) async fn all(&self, place: &Place<'_>) -> Result<(Vec<Option<Element>>, Variant), Reply> {
        let Place { profile, session, .. } = place;
        let found =
            slice::between(self.memory(), session, 0, -1, self.bound()).await.map_err(errors::reply)?;
        if found.too_much {
            return Err(self.too_long());
        }
        let guess = self.variant(profile, session);
        let newest = told(profile, found.elements.iter().flatten().map(|element| &element.message));
        let variant = self.look(profile, session, guess, newest, found.elements.is_empty()).await?;
        let mut elements = found.elements;
        if variant.newest_first {
            elements.reverse();
        }
        Ok((elements, variant))
    }
}
