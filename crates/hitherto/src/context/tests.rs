//! What a context is, over made-up sessions: named cases, and random ones whose prompt is counted again.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::Context;
use super::assemble::{Input, assemble};
use super::explain::Given;
use super::options::{Budget, ContextOptions, Format, SummaryRole};
use super::recount::{parse, recount};
use crate::message::Message;
use crate::record::{Record, Unreadable};
use crate::session::SessionId;
use crate::store::{Entry, Seq, Slice, SummaryState};
use crate::summary::Summary;
use crate::time::Timestamp;
use crate::tokens::{Encoding, Memo};

/// A session as a store would give it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    slice: Slice,
    summary: Option<Summary>,
    stale: bool,
}

pub(super) fn options(budget: Budget) -> ContextOptions {
    ContextOptions { budget, ..ContextOptions::default() }
}

impl Session {
    /// A session of these messages.
    pub(super) fn new(messages: &[&str]) -> Self {
        let entries = messages.iter().zip(1..).map(|(json, seq)| entry(seq, json)).collect::<Vec<_>>();
        let last = entries.len() as Seq;
        Self { slice: Slice { entries, base: 0, last, deleted: 0 }, summary: None, stale: false }
    }

    pub(super) fn summary(mut self, upto: Seq, text: &str) -> Self {
        let turns =
            self.slice.entries.iter().filter(|entry| entry.seq <= upto && begins(entry)).count() as u64;
        self.summary = Some(Summary {
            id: Uuid::nil(),
            text: text.to_owned(),
            upto,
            tokens: 0,
            by: "hand".to_owned(),
            stand_in: false,
            made_at: Timestamp::from_millis(1_000),
            turns,
            bytes: 0,
        });
        self
    }

    /// The first so many places were not read.
    pub(super) fn read(mut self, skipped: usize) -> Self {
        self.slice.entries.drain(..skipped);
        self
    }

    /// The same with so many messages removed before its first one.
    fn after(mut self, removed: Seq) -> Self {
        self.slice.base += removed;
        self.slice.last += removed;
        self.slice.entries.iter_mut().for_each(|entry| entry.seq += removed);
        self
    }

    pub(super) fn context(&self, options: &ContextOptions) -> Context {
        let state =
            SummaryState { current: self.summary.clone(), stale: self.stale, ..SummaryState::default() };
        let session = SessionId::parse("s").unwrap();
        assemble(Input { session, slice: self.slice.clone(), state, keep: None }, options, &Memo::default())
    }
}

fn begins(entry: &Entry) -> bool {
    entry.record.as_ref().is_ok_and(Record::begins_turn)
}

fn entry(seq: Seq, json: &str) -> Entry {
    let message = Message::parse(Bytes::copy_from_slice(json.as_bytes())).unwrap();
    let id = Uuid::from_u128(u128::from(seq));
    Entry { seq, record: Ok(Record::new(message, id, Timestamp::from_millis(0))) }
}

fn said(role: &str, words: usize) -> String {
    format!(r#"{{"role":"{role}","content":"{}"}}"#, vec!["word"; words].join(" "))
}

/// A session of turns of a question and an answer, each of so many words.
fn talk(turns: &[usize]) -> Session {
    let messages: Vec<String> =
        turns.iter().flat_map(|words| [said("user", *words), said("assistant", *words)]).collect();
    Session::new(&messages.iter().map(String::as_str).collect::<Vec<_>>())
}

fn tokens(budget: u32) -> ContextOptions {
    options(Budget::Tokens(budget))
}

/// What of a context is told in one line: which messages, what became of the summary, and what is left.
fn told(context: &Context) -> String {
    let explain = &context.explain;
    let mut out = match (explain.first_seq, explain.last_seq) {
        (Some(first), Some(last)) => format!("{first}-{last}"),
        _ => "none".to_owned(),
    };
    out.push_str(&format!(" {:?}", explain.summary));
    if let Some(why) = explain.summary_why {
        out.push_str(&format!(" ({why})"));
    }
    if let Some(left) = explain.left_to_summary {
        out.push_str(&format!(" summary {}-{} {:?}/{}", left.from, left.to, left.turns, left.messages));
    }
    for out_of in &explain.left_out {
        let left = out_of.left;
        let covered = if out_of.in_summary { "covered" } else { "out" };
        out.push_str(&format!(" {covered} {}-{} {:?}/{}", left.from, left.to, left.turns, left.messages));
    }
    for cut in &explain.cut {
        out.push_str(&format!(" cut {}", cut.seq));
    }
    out
}

#[test]
fn what_is_given_and_what_is_left() {
    let check = |session: Session, options: ContextOptions, expected: &str| {
        let context = session.context(&options);
        assert_eq!(told(&context), expected);
        if let Budget::Tokens(budget) = options.budget {
            assert!(context.tokens <= budget as usize);
        }
    };
    // A turn of 10 words twice is 28 tokens, and the reply 3.
    let five = || talk(&[10, 10, 10, 10, 10]);
    check(Session::new(&[]), tokens(100), "none None");
    check(five(), tokens(143), "1-10 None");
    check(five(), tokens(142), "3-10 None out 1-2 Some(1)/2");
    check(five(), tokens(31), "9-10 None out 1-8 Some(4)/8");
    check(five().summary(4, "Words."), tokens(1_000), "1-10 LeftOut (every message is given)");
    // The summary with what stands before it is 14.
    check(five().summary(4, "Words."), tokens(101), "5-10 Given summary 1-4 Some(2)/4");
    check(five().summary(6, "Words."), tokens(101), "5-10 Given summary 1-4 Some(2)/4");
    check(five().summary(4, "Words."), tokens(73), "7-10 Given summary 1-4 Some(2)/4 out 5-6 Some(1)/2");
    check(five().summary(5, "Words."), tokens(73), "7-10 Given summary 1-5 Some(3)/5 out 6-6 Some(0)/1");
    check(
        five().summary(4, "Words."),
        tokens(31),
        "9-10 LeftOut (over budget) covered 1-4 Some(2)/4 out 5-8 Some(2)/4",
    );
    let off = ContextOptions { summary: SummaryRole::Off, ..tokens(73) };
    check(
        five().summary(4, "Words."),
        off,
        "7-10 LeftOut (not asked for) covered 1-4 Some(2)/4 out 5-6 Some(1)/2",
    );
    // What was not read is counted, not walked.
    check(five().summary(4, "Words.").read(6), tokens(73), "7-10 Given summary 1-4 Some(2)/4 out 5-6 None/2");
    check(five().read(6), tokens(1_000), "7-10 None out 1-6 None/6");
    check(five().summary(4, "Words."), options(Budget::Turns(9)), "1-10 LeftOut (every message is given)");
    check(
        five().summary(4, "Words.").read(8),
        options(Budget::Turns(1)),
        "9-10 Given summary 1-4 Some(2)/4 out 5-8 None/4",
    );
    // A long summary: two thirds of the budget at most, while there are turns to give.
    let long = "Word after word after word. ".repeat(40);
    check(
        talk(&[9; 20]).summary(20, &long),
        tokens(300),
        "35-40 Shortened (more than two thirds of the budget) summary 1-20 Some(10)/20 out 21-34 Some(7)/14",
    );
    // The newest turn alone is over the budget.
    check(
        talk(&[10, 500]).summary(2, "Words."),
        tokens(200),
        "3-4 LeftOut (over budget) covered 1-2 Some(1)/2 cut 3 cut 4",
    );
    check(talk(&[10, 500]), tokens(14), "3-4 None out 1-2 Some(1)/2 cut 3 cut 4");
    check(talk(&[10, 500]), tokens(10), "none None out 1-4 Some(2)/4");
    check(talk(&[10]).summary(2, "Words."), tokens(1), "none LeftOut (over budget) covered 1-2 Some(1)/2");
    // It begins with a turn where what was read does not.
    check(five().read(5), tokens(1_000), "7-10 None out 1-6 None/6");
}

#[test]
fn the_newest_turn_is_shortened_fairly_and_stays_whole() {
    let arguments = format!(r#"{{\"text\":\"{}\"}}"#, "word ".repeat(300));
    let session = Session::new(&[
        r#"{"role":"user","content":"short"}"#,
        &format!(
            r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"c1","type":"function","function":{{"name":"f","arguments":"{arguments}"}}}}]}}"#
        ),
        &format!(r#"{{"role":"tool","tool_call_id":"c1","content":"{}"}}"#, "result ".repeat(900)),
        &format!(
            r#"{{"role":"assistant","content":[{{"type":"text","text":"{}"}},{{"type":"image_url","image_url":{{"url":"x"}}}}]}}"#,
            "answer ".repeat(200)
        ),
    ]);
    let check = |budget: u32, cut: &[Seq], kept: &[&str]| {
        let context = session.context(&tokens(budget));
        assert!(context.tokens <= budget as usize);
        assert_eq!(context.explain.cut.iter().map(|cut| cut.seq).collect::<Vec<_>>(), cut, "{budget}");
        let json = context.to_json();
        for kept in kept {
            assert!(json.contains(kept), "{budget} {kept} {json}");
        }
        for call in context.messages.iter().flat_map(|message| message.message.tool_calls()) {
            assert!(serde_json::from_str::<Value>(&call.arguments).unwrap().is_object());
        }
        assert_eq!(context.messages.len(), 4);
    };
    check(1_700, &[3], &["tokens left out", "answer answer", "image_url", "short"]);
    check(1_300, &[3, 4], &["tokens left out", "image_url", "short"]);
    check(600, &[3, 4], &["[image_url left out]", "short", "word word"]);
    check(100, &[2, 3, 4], &["[image_url left out]", r#"{\"left_out\":\""#, "short"]);
    check(34, &[1, 2, 3, 4], &["f"]);
}

#[derive(Debug, Clone)]
enum Said {
    User(String),
    Parts(String, bool),
    Assistant(String),
    Tools(Vec<(String, String)>),
    System(String),
    Deleted,
    Unreadable,
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "([a-z]{1,8} ){0,12}",
        1 => "([a-z]{1,8} ){100,300}",
        1 => Just("👨‍👩‍👧‍👦 e\u{301} 🇫🇮 字字字".to_owned()),
        1 => Just(String::new()),
        1 => "\\PC{0,20}",
        1 => Just("\u{0}half".to_owned()),
    ]
}

fn said_one() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => words().prop_map(Said::User),
        1 => (words(), any::<bool>()).prop_map(|(text, image)| Said::Parts(text, image)),
        6 => words().prop_map(Said::Assistant),
        2 => prop::collection::vec((prop_oneof![Just(String::new()), Just("{bad".to_owned()), words().prop_map(|text| serde_json::json!({"q": text}).to_string())], words()), 1..3).prop_map(Said::Tools),
        1 => words().prop_map(Said::System),
        1 => Just(Said::Deleted),
        1 => Just(Said::Unreadable),
    ]
}

/// A JSON string; where the text begins with NUL, with half a surrogate pair in its place.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace("\\u0000", "\\ud83d")
}

fn build(all: &[Said], base: Seq) -> (Slice, u64) {
    let mut entries = Vec::new();
    let mut seq = base;
    let mut push = |record: Result<String, bool>| {
        seq += 1;
        entries.push(match record {
            Ok(json) => entry(seq, &json),
            Err(true) => {
                let Entry { record, .. } = entry(seq, r#"{"role":"user","content":"gone"}"#);
                Entry { seq, record: record.map(|record| record.deleted()) }
            }
            Err(false) => Entry { seq, record: Err(Unreadable::Damaged) },
        });
        seq
    };
    let mut deleted = 0;
    for (number, said) in all.iter().enumerate() {
        match said {
            Said::User(text) => {
                push(Ok(format!(r#"{{"role":"user","name":"CDR 1","content":{}}}"#, quoted(text))))
            }
            Said::Parts(text, image) => {
                let image = if *image {
                    r#",{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}"#
                } else {
                    r#",{"type":"odd"}"#
                };
                push(Ok(format!(
                    r#"{{"role":"user","content":[{{"type":"text","text":{}}}{image}]}}"#,
                    quoted(text)
                )))
            }
            Said::Assistant(text) => {
                push(Ok(format!(r#"{{"role":"assistant","content":{}}}"#, quoted(text))))
            }
            Said::System(text) => push(Ok(format!(r#"{{"role":"system","content":{}}}"#, quoted(text)))),
            Said::Tools(calls) => {
                let list: Vec<String> = calls.iter().enumerate().map(|(at, (arguments, _))| format!(r#"{{"id":"c{number}-{at}","type":"function","function":{{"name":"f","arguments":{}}}}}"#, serde_json::to_string(arguments).unwrap())).collect();
                push(Ok(format!(
                    r#"{{"role":"assistant","content":null,"tool_calls":[{}]}}"#,
                    list.join(",")
                )));
                let mut last = 0;
                for (at, (_, result)) in calls.iter().enumerate() {
                    last = push(Ok(format!(
                        r#"{{"role":"tool","tool_call_id":"c{number}-{at}","content":{}}}"#,
                        quoted(result)
                    )));
                }
                last
            }
            Said::Deleted => {
                deleted += 1;
                push(Err(true))
            }
            Said::Unreadable => push(Err(false)),
        };
    }
    (Slice { entries, base, last: seq, deleted }, deleted)
}

fn formats() -> impl Strategy<Value = (Format, Encoding, SummaryRole)> {
    use prop::sample::select;
    (
        select(vec![Format::Messages, Format::Text, Format::OpenAi, Format::Anthropic, Format::LangChain]),
        select(vec![Encoding::O200k, Encoding::Cl100k, Encoding::Estimate]),
        select(vec![SummaryRole::Off, SummaryRole::System, SummaryRole::User, SummaryRole::Assistant]),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_over_budget_whole_turns_and_everything_accounted_for(
        all in prop::collection::vec(said_one(), 0..24),
        base in 0..4_u64,
        budget in prop_oneof![1 => 1..30_u32, 4 => 30..400_u32, 2 => 400..3_000_u32],
        (format, encoding, role) in formats(),
        summary in prop::option::of((0..30_u64, "([a-z]{1,8} ){1,60}")),
        unread in 0..6_usize,
    ) {
        let (slice, _) = build(&all, base);
        let mut session = Session { slice, summary: None, stale: false };
        if let Some((upto, text)) = &summary {
            let upto = (*upto).clamp(1, session.slice.last.max(1));
            session = session.summary(upto, text);
        }
        let held = session.slice.last - base - session.slice.deleted;
        let skipped = unread.min(session.slice.entries.len());
        let session = session.read(skipped);
        let options = ContextOptions { budget: Budget::Tokens(budget), summary: role, format, encoding, uncounted: false };
        let context = session.context(&options);
        let explain = &context.explain;
        // The count of what is given.
        let body = parse(&context.to_json());
        let counted = if format == Format::Messages && role != SummaryRole::System {
            // The recount takes the summary for instructions; every role's name is one token.
            recount(&body, format, encoding).saturating_sub(if context.summary.is_some() { encoding.count("system") } else { 0 })
                + if context.summary.is_some() { encoding.count(if role == SummaryRole::User { "user" } else { "assistant" }) } else { 0 }
        } else {
            recount(&body, format, encoding)
        };
        prop_assert_eq!(counted, context.tokens);
        prop_assert!(counted <= budget as usize);
        prop_assert_eq!(explain.used, counted);
        // Whole turns, in order, without gaps, to the newest.
        let live: Vec<Seq> = session.slice.entries.iter().filter(|entry| entry.live().is_some()).map(|entry| entry.seq).collect();
        let seqs: Vec<Seq> = context.messages.iter().map(|message| message.seq).collect();
        prop_assert!(live.ends_with(&seqs));
        if let Some(first) = context.messages.first() {
            let unreadable = session.slice.entries.iter().filter(|entry| entry.is_unreadable()).count();
            let oldest = (live.len() + unreadable) as u64 == held && live.first() == Some(&first.seq);
            prop_assert!(first.role() == crate::message::Role::User || oldest);
        }
        // The account adds up.
        let left = explain.left_to_summary.map_or(0, |left| left.messages)
            + explain.left_out.iter().map(|out| out.left.messages).sum::<u64>();
        prop_assert_eq!(left + seqs.len() as u64 + explain.unreadable as u64, held);
        for range in explain.left_to_summary.iter().chain(explain.left_out.iter().map(|out| &out.left)) {
            prop_assert!(range.from <= range.to && range.to < seqs.first().copied().unwrap_or(session.slice.last + 1));
        }
        // Calls have their results.
        let calls: Vec<String> = context.messages.iter().flat_map(|message| message.message.tool_calls()).map(|call| call.id).collect();
        let results: Vec<String> = context.messages.iter().filter_map(|message| message.message.tool_call_id()).collect();
        prop_assert_eq!(&calls, &results);
        for message in &context.messages {
            prop_assert!(Message::parse(Bytes::copy_from_slice(message.message.json().as_bytes())).is_ok());
        }
        // A summary is given only if there is one, it is wanted, and something is not given.
        if context.summary.is_some() {
            prop_assert!(summary.is_some() && role != SummaryRole::Off);
        }
    }

    #[test]
    fn nine_tenths_are_used_where_turns_are_small(
        // The longest, by the estimate, are within a tenth of the smallest budget.
        turns in prop::collection::vec(1..6_usize, 200..250),
        budget in 500..1_200_u32,
        (format, encoding, role) in formats(),
        summary in prop::option::of((1..200_u64, 1..400_usize)),
    ) {
        let mut session = talk(&turns);
        if let Some((upto, words)) = summary {
            session = session.summary(upto, &"fact after fact. ".repeat(words));
        }
        let context = session.context(&ContextOptions { budget: Budget::Tokens(budget), summary: role, format, encoding, uncounted: false });
        prop_assert!(context.tokens <= budget as usize);
        let everything = context.explain.left_to_summary.is_none() && context.explain.left_out.is_empty();
        prop_assert!(everything || context.tokens >= budget as usize * 9 / 10, "{} of {}: {}", context.tokens, budget, told(&context));
        prop_assert!(context.explain.cut.is_empty());
        prop_assert_eq!(context.explain.summary == Given::None, summary.is_none());
    }
}

/// A summary is left out where every message is given that it stands for, and only there: a maximum of messages may
/// have removed some, and somebody may have put it before the first one.
#[test]
fn a_summary_of_what_is_not_among_the_messages_is_given() {
    for budget in [Budget::Turns(9), Budget::Defaults, Budget::Tokens(1_000)] {
        let check = |session: Session, expected: Given| {
            let context = session.context(&options(budget));
            assert_eq!((context.explain.summary, context.messages.len()), (expected, 4), "{budget:?}");
        };
        check(talk(&[3, 3]).summary(2, "Words."), Given::LeftOut);
        check(talk(&[3, 3]).after(4).summary(6, "Words."), Given::Given);
        check(talk(&[3, 3]).after(4).summary(4, "Words."), Given::Given);
        // The place before the first message was deleted, and held none.
        let mut opened = talk(&[3, 3]).after(1).summary(1, "They met before.");
        (opened.slice.base, opened.slice.deleted) = (0, 1);
        check(opened, Given::Given);
    }
}

/// Plans that come out a little over budget, each for another reason, are given up before all tries are.
#[test]
fn a_context_is_not_empty_where_one_plan_after_another_is_a_little_over() {
    let turns = "1111111111111111111111111111111111111112242552222113551143254312325224525344511531111112322411342422\
        4312153325514255232224112232451221311231412142343223431354232331141142335511152225235532523315125452";
    let turns: Vec<usize> = turns.bytes().map(|digit| usize::from(digit - b'0')).collect();
    let session = talk(&turns).summary(180, &"fact after fact. ".repeat(129));
    let options = ContextOptions {
        budget: Budget::Tokens(836),
        summary: SummaryRole::Assistant,
        format: Format::Anthropic,
        encoding: Encoding::Estimate,
        uncounted: false,
    };
    let context = session.context(&options);
    assert!((836 * 9 / 10..=836).contains(&context.tokens), "{} of 836: {}", context.tokens, told(&context));
}
