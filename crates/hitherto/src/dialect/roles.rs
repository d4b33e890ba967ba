//! The words by which clients call who speaks.

use crate::message::Role;

/// Every word that is known, in lower case.
const WORDS: &[(&str, Role)] = &[
    ("user", Role::User),
    ("assistant", Role::Assistant),
    ("tool", Role::Tool),
    ("system", Role::System),
    ("human", Role::User),
    ("ai", Role::Assistant),
    ("bot", Role::Assistant),
    ("chatbot", Role::Assistant),
    ("model", Role::Assistant),
    ("agent", Role::Assistant),
    ("llm", Role::Assistant),
    ("developer", Role::System),
    ("function", Role::Tool),
];

/// The role that a word means, in capitals or not.
pub(super) fn known(word: &str) -> Option<Role> {
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, role)| *role)
}
