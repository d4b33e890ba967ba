//! A summary whose text says what it stands for: each message by its number and a checksum of its text as given.
//!
//! `s7 H4 5:9f3a01bc 6~1/3:0badcafe` is of the session that calls itself s7: messages 1 to 4 stand in it by hand,
//! 5 was given whole, and of 6 the first of three parts. The checksum is one that the next part can go on with.

use std::fmt::{self, Display, Formatter};

use hitherto::store::Seq;
use hitherto::summary::Line;
use hitherto::{Message, Record};

/// What a summary stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// What the session calls itself, in the first word of each of its messages.
    pub tag: String,
    /// Up to where somebody wrote it by hand.
    pub hand: Seq,
    /// The messages that were given whole, with their checksums.
    pub items: Vec<(Seq, u32)>,
    /// A message of which so many parts of how many were given.
    pub partial: Option<(Seq, u32, u32, u32)>,
}

const EMPTY: u32 = 0x811C_9DC5;

/// FNV-1a: the checksum of a text that continues another.
fn checksum(before: u32, text: &str) -> u32 {
    text.bytes().fold(before, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What a summariser reads of a message: its text, and its tool calls written out.
pub fn line_text(message: &Message) -> String {
    let calls =
        message.tool_calls().into_iter().map(|call| format!("[calls {}({})]", call.name, call.arguments));
    let parts: Vec<String> =
        std::iter::once(message.text()).filter(|text| !text.is_empty()).chain(calls).collect();
    parts.join("\n")
}

/// The checksum of a record that holds something to read.
pub(super) fn readable(record: &Record) -> Option<u32> {
    let text = line_text(record.message.as_ref()?);
    (!text.trim().is_empty()).then(|| checksum(EMPTY, &text))
}

impl Ledger {
    /// One by hand, of messages 1 to `upto`.
    pub fn by_hand(tag: &str, upto: Seq) -> Self {
        Self { tag: tag.to_owned(), hand: upto, ..Self::default() }
    }

    /// What a text says; the error is what is wrong with it.
    ///
    /// # Errors
    /// If no ledger wrote it.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("no ledger wrote {text:?}");
        let mut words = text.split(' ');
        let tag = words.next().filter(|tag| tag.starts_with('s')).ok_or_else(wrong)?;
        let mut ledger = Self { tag: tag.to_owned(), ..Self::default() };
        for word in words {
            if ledger.partial.is_some() {
                return Err(format!("a message stands in it in parts: {text:?}"));
            }
            if let Some(hand) = word.strip_prefix('H') {
                ledger.hand = hand.parse().map_err(|_| wrong())?;
                continue;
            }
            let (place, sum) = word.split_once(':').ok_or_else(wrong)?;
            let sum = u32::from_str_radix(sum, 16).map_err(|_| wrong())?;
            if let Some((seq, parts)) = place.split_once('~') {
                let (part, of) = parts.split_once('/').ok_or_else(wrong)?;
                let number = |word: &str| word.parse::<u32>().map_err(|_| wrong());
                ledger.partial = Some((seq.parse().map_err(|_| wrong())?, number(part)?, number(of)?, sum));
            } else {
                ledger.items.push((place.parse().map_err(|_| wrong())?, sum));
            }
        }
        Ok(ledger)
    }

    /// The last message in it.
    pub fn last(&self) -> Seq {
        self.items.last().map_or(self.hand, |(seq, _)| *seq)
    }

    /// The same with a line more.
    ///
    /// # Errors
    /// If the line is not one that may come next.
    pub fn give(&mut self, line: &Line) -> Result<(), String> {
        let (seq, part) = (line.seq, line.part);
        if let Some((open, given, of, sum)) = self.partial.take() {
            if (seq, part) != (open, Some((given + 1, of))) {
                return Err(format!(
                    "after part {given} of {of} of message {open} came {seq}, part {part:?}"
                ));
            }
            return self.put(seq, part, checksum(sum, &line.text));
        }
        if seq <= self.last() {
            return Err(format!("message {seq} was folded twice: the summary reaches {}", self.last()));
        }
        if part.is_some_and(|(part, _)| part != 1) {
            return Err(format!("message {seq} began with part {part:?}"));
        }
        let tag = line.text.split(' ').next().unwrap_or_default();
        if self.tag.is_empty() {
            self.tag = tag.to_owned();
        } else if self.tag != tag {
            return Err(format!("a message of {tag} came into the summary of {}", self.tag));
        }
        self.put(seq, part, checksum(EMPTY, &line.text))
    }

    fn put(&mut self, seq: Seq, part: Option<(u32, u32)>, sum: u32) -> Result<(), String> {
        match part {
            Some((part, of)) if part < of => self.partial = Some((seq, part, of, sum)),
            _ => self.items.push((seq, sum)),
        }
        Ok(())
    }
}

impl Display for Ledger {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tag)?;
        if self.hand > 0 {
            write!(f, " H{}", self.hand)?;
        }
        for (seq, sum) in &self.items {
            write!(f, " {seq}:{sum:x}")?;
        }
        if let Some((seq, part, of, sum)) = self.partial {
            write!(f, " {seq}~{part}/{of}:{sum:x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_what_the_ledger_says() {
        for text in ["s1 5:9f3a01bc 6~1/3:badcafe", "s1g2 H4", "s9 1:1 2:2", "s9 H3 7:aa"] {
            assert_eq!(Ledger::read(text).unwrap().to_string(), text);
        }
        for text in ["", "NONE", "s1 what", "s1 1~1/3:a 2:b", "I cannot do that."] {
            assert!(Ledger::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_in_parts_has_the_checksum_of_the_whole() {
        let part = checksum(checksum(EMPTY, "s1 one "), "two");
        assert_eq!(part, checksum(EMPTY, "s1 one two"));
    }
}
