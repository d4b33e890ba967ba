//! The due-list: the sessions that somebody has to look at, of all scopes, each given to one at a time.

use std::collections::HashSet;

use hitherto::store::{Claim, Pop};
use hitherto::{MemoryKey, Scope, SessionKey, Tenant};

use super::folding::{LEASE, turns};
use super::subject::{Chat, Subject};

/// A session that exists.
async fn chat(on: &Subject, session: &str) -> Chat {
    let chat = on.chat(session);
    chat.say("ua").await;
    chat
}

/// What is due after an append comes to the list.
pub async fn a_due_session_comes_to_the_list(on: Subject) {
    let chat = on.chat("s");
    assert_eq!(on.claimed(10).await, [""; 0]);
    let before = on.now();
    assert!(chat.due_after("uaua", turns(2)).await);
    let claim = on.claim_soon(&chat).await;
    assert_eq!(claim.key, chat.key);
    assert!(claim.until > before);
    on.settle(&claim, None).await;
    assert_eq!(on.claimed(10).await, [""; 0], "it was settled");
    assert!(chat.due_after("ua", turns(2)).await);
    on.claim_soon(&chat).await;
}

/// Nobody is given what is due later.
pub async fn a_session_is_given_when_it_is_due(on: Subject) {
    let chat = chat(&on, "s").await;
    on.mark(&chat, on.in_secs(100)).await;
    assert_eq!(on.claimed(10).await, [""; 0]);
    on.advance(50).await;
    assert_eq!(on.claimed(10).await, [""; 0]);
    on.advance(51).await;
    assert_eq!(on.claimed(10).await, ["s"]);
}

/// As many as are asked for, longest due first.
pub async fn the_longest_due_comes_first(on: Subject) {
    let now = on.now();
    for (session, late) in [("b", 3), ("d", 1), ("a", 4), ("c", 2), ("later", -1000)] {
        on.mark(&chat(&on, session).await, now.plus_millis(-1000 * late)).await;
    }
    assert_eq!(on.claimed(0).await, [""; 0]);
    assert_eq!(on.claimed(1).await, ["a"]);
    assert_eq!(on.claimed(2).await, ["b", "c"]);
    assert_eq!(on.claimed(10).await, ["d"]);
    assert_eq!(on.claimed(10).await, [""; 0]);
}

/// A claim is told as it is, and is one's own until it ends.
pub async fn a_claimed_session_is_given_again_when_its_claim_has_ended(on: Subject) {
    let chat = chat(&on, "s").await;
    on.mark(&chat, on.now()).await;
    let until = on.in_secs(LEASE);
    let claims = on.store().claim_due(on.now(), until, 10).await.unwrap();
    assert_eq!(claims, [Claim { key: chat.key.clone(), until }]);
    on.advance(LEASE / 2).await;
    assert_eq!(on.claimed(10).await, [""; 0], "somebody has it");
    on.advance(LEASE / 2 + 1).await;
    assert_eq!(on.claimed(10).await, ["s"], "they are gone");
    assert_eq!(on.claimed(10).await, [""; 0], "somebody else has it");
}

/// Off the list, or due again.
pub async fn a_claim_is_settled(on: Subject) {
    let chat = chat(&on, "s").await;
    on.mark(&chat, on.now()).await;
    let claim = on.claim_soon(&chat).await;
    on.settle(&claim, Some(on.in_secs(LEASE * 3))).await;
    on.advance(LEASE * 2).await;
    assert_eq!(on.claimed(10).await, [""; 0], "it is due later, and the claim is over");
    on.advance(LEASE + 1).await;
    let claim = on.claim_soon(&chat).await;
    on.settle(&claim, Some(on.now())).await;
    let claim = on.claim_soon(&chat).await;
    on.settle(&claim, None).await;
    on.advance(LEASE * 10).await;
    assert_eq!(on.claimed(10).await, [""; 0], "it is off the list");
    on.settle(&claim, Some(on.now())).await;
    assert_eq!(on.claimed(10).await, [""; 0], "it is settled already");
}

/// Sooner, but never later.
pub async fn a_mark_makes_a_session_due_sooner_and_never_later(on: Subject) {
    let chat = chat(&on, "s").await;
    on.mark(&chat, on.in_secs(50)).await;
    on.mark(&chat, on.in_secs(500)).await;
    on.advance(51).await;
    let claim = on.claim_soon(&chat).await;
    on.settle(&claim, Some(on.in_secs(500))).await;
    on.mark(&chat, on.in_secs(50)).await;
    on.advance(51).await;
    on.claim_soon(&chat).await;
}

/// What happened since a session was claimed has to be looked at, too.
pub async fn a_mark_after_a_claim_survives_settling(on: Subject) {
    for again in [None, Some(5000)] {
        let chat = chat(&on, &format!("{again:?}")).await;
        on.mark(&chat, on.now()).await;
        let claim = on.claim_soon(&chat).await;
        on.mark(&chat, on.now()).await;
        on.settle(&claim, again.map(|secs| on.in_secs(secs))).await;
        let claim = on.claim_soon(&chat).await;
        on.settle(&claim, None).await;
        assert_eq!(on.claimed(10).await, [""; 0]);
    }
    let chat = chat(&on, "an append").await;
    on.mark(&chat, on.now()).await;
    let claim = on.claim_soon(&chat).await;
    assert!(chat.due_after("ua", turns(1)).await);
    on.settle(&claim, None).await;
    on.claim_soon(&chat).await;
}

/// A pop or an edit is a mark like any other.
pub async fn a_change_after_a_claim_survives_settling(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.summarise(4).await;
    chat.edit(1, "said better").await;
    let claim = on.claim_soon(&chat).await;
    chat.pop(Pop::Message).await;
    on.settle(&claim, None).await;
    on.claim_soon(&chat).await;
}

/// Who was too slow settles nothing.
pub async fn what_another_has_claimed_is_not_settled(on: Subject) {
    let chat = chat(&on, "s").await;
    on.mark(&chat, on.now()).await;
    let slow = on.claim_soon(&chat).await;
    on.advance(LEASE + 1).await;
    let claim = on.claim_soon(&chat).await;
    assert!(claim.until > slow.until);
    on.settle(&slow, None).await;
    on.settle(&slow, Some(on.now())).await;
    assert_eq!(on.claimed(10).await, [""; 0], "somebody else has it");
    on.advance(LEASE + 1).await;
    let claim = on.claim_soon(&chat).await;
    on.settle(&claim, None).await;
    assert_eq!(on.claimed(10).await, [""; 0]);
}

/// Whoever looks at the list sees every scope, and every name as it is.
pub async fn sessions_of_all_scopes_are_on_the_list(on: Subject) {
    let names = ["a", "a:b", "}{", "{x}", "*", "\0", "\r\n", " ", "日本", "1:a"];
    let mut expected: HashSet<SessionKey> = HashSet::new();
    for tenant in ["default", "a:1", "{}"] {
        for memory_key in ["chat_history", "}:\n"] {
            let (tenant, memory_key) =
                (Tenant::parse(tenant).unwrap(), MemoryKey::parse(memory_key).unwrap());
            let scope = Scope { tenant, memory_key };
            for name in names {
                let chat = on.chat_in(&scope, name);
                chat.say("u").await;
                on.mark(&chat, on.now()).await;
                expected.insert(chat.key);
            }
        }
    }
    let claims = on.claim(1000).await;
    assert_eq!(claims.len(), expected.len());
    assert_eq!(claims.iter().map(|claim| claim.key.clone()).collect::<HashSet<_>>(), expected);
    for claim in &claims {
        on.settle(claim, None).await;
    }
    assert_eq!(on.claimed(10).await, [""; 0]);
}

/// However many claim at once, each session is given to one of them.
pub async fn concurrent_claims_give_each_session_once(on: Subject) {
    let now = on.now();
    for session in 0..60 {
        on.mark(&chat(&on, &format!("{session}")).await, now).await;
    }
    let claimers: Vec<_> = (0..6)
        .map(|_| {
            let on = on.clone();
            tokio::spawn(async move {
                let mut all = Vec::new();
                loop {
                    let some = on.claimed(7).await;
                    if some.is_empty() {
                        return all;
                    }
                    assert!(some.len() <= 7);
                    all.extend(some);
                }
            })
        })
        .collect();
    let mut given = Vec::new();
    for claimer in claimers {
        given.extend(claimer.await.unwrap());
    }
    assert_eq!(given.len(), 60, "a session was given twice, or not at all");
    assert_eq!(given.into_iter().collect::<HashSet<_>>().len(), 60);
}

/// How many wait and since when, of what is due and claimed by nobody.
pub async fn what_waits_is_counted(on: Subject) {
    let due = async || {
        let due = on.store().due(on.now()).await.unwrap();
        (due.sessions, due.oldest)
    };
    assert_eq!(due().await, (0, None));
    let now = on.now();
    for (session, late) in [("a", 3), ("b", 7), ("later", -1000)] {
        on.mark(&chat(&on, session).await, now.plus_millis(-1000 * late)).await;
    }
    assert_eq!(due().await, (2, Some(now.plus_millis(-7000))));
    let claims = on.claim(1).await;
    assert_eq!(due().await, (1, Some(now.plus_millis(-3000))));
    on.settle(&claims[0], Some(now.plus_millis(-1000))).await;
    assert_eq!(due().await, (2, Some(now.plus_millis(-3000))));
}

/// A session that does not exist, or no longer, is found out by who looks at it.
pub async fn what_is_gone_can_be_marked_and_settled(on: Subject) {
    let (nobody, cleared) = (on.chat("nobody"), chat(&on, "cleared").await);
    on.mark(&nobody, on.now()).await;
    assert!(!nobody.exists().await);
    on.mark(&cleared, on.now()).await;
    let claims = on.claim(10).await;
    assert!(claims.iter().any(|claim| claim.key == cleared.key));
    cleared.clear().await;
    for claim in &claims {
        on.settle(claim, Some(on.now())).await;
    }
    on.settle_all().await;
    assert_eq!(on.leftovers().await, [""; 0]);
    assert_eq!(on.claimed(10).await, [""; 0]);
}

/// A session that begins anew is due anew, whatever became of the claim of the one before.
pub async fn an_append_after_a_clear_marks_again(on: Subject) {
    let chat = on.chat("s");
    assert!(chat.due_after("ua", turns(1)).await);
    let claim = on.claim_soon(&chat).await;
    chat.clear().await;
    assert!(chat.due_after("ua", turns(1)).await);
    on.settle(&claim, None).await;
    on.claim_soon(&chat).await;
}
