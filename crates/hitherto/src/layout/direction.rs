//! Whether messages were read in the order in which they were said. The order is not in the data, so it comes from
//! the layout; a tool's result, and a lone system message, show where that was the wrong one.

use std::collections::HashSet;

use super::Print;
use crate::message::{Message, Role};

/// What the messages of one session say of their order.
#[derive(Debug, Default)]
pub struct Evidence {
    calls: HashSet<Print>,
    results: HashSet<Print>,
    right: u64,
    wrong: u64,
    first: Option<Role>,
    last: Option<Role>,
    systems: u64,
    messages: u64,
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against the order.
    Fine,
    /// It begins with an answer and ends with a question: it may be the wrong order.
    Doubtful,
    /// It is the wrong order; the text says why.
    Opposite(&'static str),
}

impl Evidence {
    /// The next message, as it was read.
    pub fn take(&mut self, message: &Message) {
        if message.is_opaque() {
            return;
        }
        let role = message.role();
        self.first.get_or_insert(role);
        self.last = Some(role);
        self.messages += 1;
        match role {
            Role::System => self.systems += 1,
            Role::Assistant => {
                for call in message.tool_calls() {
                    let call = Print::of(call.id.as_bytes());
                    self.wrong += u64::from(self.results.contains(&call));
                    self.calls.insert(call);
                }
            }
            Role::Tool => {
                if let Some(id) = message.tool_call_id() {
                    let call = Print::of(id.as_bytes());
                    self.right += u64::from(self.calls.contains(&call));
                    self.results.insert(call);
                }
            }
            Role::User => {}
        }
    }

    /// What they say, taken together.
    pub fn verdict(&self) -> Verdict {
        if self.wrong > 0 && self.right == 0 {
            return Verdict::Opposite("results of tools stand before the calls that they answer");
        }
        let system_ends =
            self.systems == 1 && self.last == Some(Role::System) && self.first != Some(Role::System);
        if system_ends && self.right == 0 && self.messages > 2 {
            return Verdict::Opposite("the only system message stands at the end");
        }
        match (self.first, self.last) {
            (Some(Role::Assistant), Some(Role::User)) if self.right == 0 => Verdict::Doubtful,
            _ => Verdict::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_judged_by_what_only_one_order_has() {
        let call = || {
            Message::assistant("").with(
                "tool_calls",
                &serde_json::json!([{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]),
            )
        };
        let check = |messages: &[Message], expected: fn(&Verdict) -> bool| {
            let mut evidence = Evidence::default();
            messages.iter().for_each(|message| evidence.take(message));
            assert!(expected(&evidence.verdict()), "{messages:?}: {:?}", evidence.verdict());
        };
        let (user, answer, system, tool) =
            (Message::user("u"), Message::assistant("a"), Message::system("s"), Message::tool("c", "r"));
        let fine = |verdict: &Verdict| *verdict == Verdict::Fine;
        let opposite = |verdict: &Verdict| matches!(verdict, Verdict::Opposite(_));
        check(&[system.clone(), user.clone(), call(), tool.clone(), answer.clone()], fine);
        check(&[answer.clone(), tool.clone(), call(), user.clone(), system.clone()], opposite);
        check(&[tool, call()], opposite);
        check(&[answer.clone(), user.clone(), system], opposite);
        check(&[user.clone(), answer.clone()], fine);
        check(&[answer, user], |verdict| *verdict == Verdict::Doubtful);
        check(&[], fine);
    }
}
