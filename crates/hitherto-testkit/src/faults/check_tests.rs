//! The checker finds what it is there to find: each case breaks a good run in one way.

use std::time::Duration;

use super::*;
use crate::faults::sent::Acknowledged;

const A: Append = Append { writer: 0, number: 0, size: 2 };
const B: Append = Append { writer: 1, number: 0, size: 1 };
const C: Append = Append { writer: 0, number: 1, size: 3 };
const NEVER: Append = Append { writer: 1, number: 1, size: 2 };

fn sent(append: Append, first_seq: Option<u64>) -> Sent {
    let now = Instant::now();
    Sent {
        append,
        session: "s".to_owned(),
        began: now,
        acknowledged: first_seq.map(|first_seq| Acknowledged { at: now, first_seq, logged: 0 }),
    }
}

/// Three appends that were acknowledged and one that was not.
fn all_sent() -> Vec<Sent> {
    vec![sent(A, Some(1)), sent(B, Some(3)), sent(C, Some(4)), sent(NEVER, None)]
}

fn texts(appends: &[Append]) -> Vec<String> {
    appends.iter().flat_map(|append| (0..append.size).map(|index| append.text(index))).collect()
}

fn stored(texts: &[String]) -> Sessions {
    let found = (1..).zip(texts).map(|(seq, text)| Found { seq, text: text.clone() }).collect();
    Sessions::from([("s".to_owned(), found)])
}

/// How many things are wrong: lost, doubled, disordered, strange.
fn wrong(verdict: &Verdict) -> [usize; 4] {
    [verdict.lost.len(), verdict.doubled.len(), verdict.disordered.len(), verdict.strange.len()]
}

#[track_caller]
fn check_wrong(texts: &[String], expected: [usize; 4]) {
    let verdict = check(&all_sent(), &stored(texts), None);
    assert_eq!(wrong(&verdict), expected, "{}", verdict.said());
    assert_eq!(verdict.is_good(), expected == [0; 4]);
}

#[test]
fn a_good_run_is_good_with_or_without_what_was_not_acknowledged() {
    check_wrong(&texts(&[A, B, C]), [0; 4]);
    check_wrong(&texts(&[A, B, C, NEVER]), [0; 4]);
}

#[test]
fn a_lost_append_is_found() {
    check_wrong(&texts(&[A, B]), [1, 0, 0, 0]);
    check_wrong(&[], [3, 0, 0, 0]);
    let verdict = check(&all_sent(), &Sessions::new(), None);
    assert_eq!(wrong(&verdict), [3, 0, 0, 0]);
    // In another session it is not where it was said to be.
    let mut elsewhere = stored(&texts(&[A, B]));
    elsewhere.extend(stored(&texts(&[C])).into_values().map(|found| ("t".to_owned(), found)));
    assert_eq!(wrong(&check(&all_sent(), &elsewhere, None)), [0, 0, 1, 0]);
}

#[test]
fn a_doubled_append_is_found_also_if_nobody_acknowledged_it() {
    check_wrong(&texts(&[A, B, C, B]), [0, 1, 0, 0]);
    check_wrong(&texts(&[A, B, C, NEVER, NEVER]), [0, 1, 0, 0]);
}

#[test]
fn half_an_append_is_found() {
    let mut some = texts(&[A, B, C]);
    some.pop();
    check_wrong(&some, [0, 0, 1, 0]);
    let mut some = texts(&[A, B, C, NEVER]);
    some.pop();
    check_wrong(&some, [0, 0, 1, 0]);
    // Without its first message it is not there at all.
    let mut some = texts(&[A, B, C]);
    some.remove(3);
    check_wrong(&some, [1, 0, 1, 0]);
}

#[test]
fn a_doubled_message_is_found() {
    let mut some = texts(&[A, B, C]);
    some.push(C.text(2));
    check_wrong(&some, [0, 0, 1, 0]);
}

#[test]
fn swapped_messages_and_appends_are_found() {
    let mut some = texts(&[A, B, C]);
    some.swap(4, 5);
    let verdict = check(&all_sent(), &stored(&some), None);
    assert!(!verdict.disordered.is_empty(), "{verdict:?}");
    // Whole, but elsewhere than was acknowledged, and against the order of their writer.
    let verdict = check(&all_sent(), &stored(&texts(&[C, B, A])), None);
    assert!(verdict.lost.is_empty() && verdict.disordered.len() >= 3, "{}", verdict.said());
}

#[test]
fn an_append_inside_another_is_found() {
    let mut some = texts(&[A, C]);
    some.insert(1, B.text(0));
    let verdict = check(&all_sent(), &stored(&some), None);
    assert!(verdict.disordered.iter().any(|wrong| wrong.contains("nothing after")), "{}", verdict.said());
}

#[test]
fn a_gap_in_the_numbers_is_found() {
    let mut sessions = stored(&texts(&[A, B, C]));
    for found in sessions.values_mut().flatten().skip(3) {
        found.seq += 1;
    }
    let verdict = check(&all_sent(), &sessions, None);
    assert!(verdict.disordered.iter().any(|wrong| wrong.contains("number 5 where 4")), "{}", verdict.said());
}

#[test]
fn what_nobody_sent_is_found() {
    let mut some = texts(&[A, B, C]);
    some.push("hello".to_owned());
    check_wrong(&some, [0, 0, 0, 1]);
    some.pop();
    some.extend(texts(&[Append { writer: 9, number: 0, size: 1 }]));
    check_wrong(&some, [0, 0, 0, 1]);
}

#[test]
fn what_a_store_was_made_to_forget_is_counted_and_what_came_after_is_not_forgiven() {
    let mut all = all_sent();
    let now = Instant::now();
    let forgot_at = now + Duration::from_secs(2);
    all.iter_mut().filter(|sent| sent.append == C).for_each(|sent| sent.began = now + Duration::from_secs(3));
    let verdict = check(&all, &Sessions::new(), Some(forgot_at));
    assert_eq!((wrong(&verdict), verdict.forgotten), ([1, 0, 0, 0], 2), "{}", verdict.said());
    if let Some(acknowledged) = &mut all[2].acknowledged {
        acknowledged.first_seq = 1;
    }
    let verdict = check(&all, &stored(&texts(&[C])), Some(forgot_at));
    assert_eq!((wrong(&verdict), verdict.forgotten), ([0; 4], 2), "{}", verdict.said());
}
