//! Counting what a tenant has.

use hitherto::{MemoryKey, Restart, Scope, Tenant};

use super::subject::{Subject, ttl};

/// Sessions, messages that are not deleted, and bytes, as the descriptions say; nothing of what has ended.
pub async fn it_counts_what_there_is(on: Subject) {
    assert_eq!(on.usage(&Tenant::default()).await, (0, 0, 0));
    let mut bytes = 0;
    for name in ["a", "b"] {
        on.chat(name).say("uauaua").await;
        on.chat(name).delete(2).await;
        bytes += on.chat(name).described().await.bytes;
    }
    on.chat("c").say_for("ua", ttl(60, Restart::Write)).await;
    on.chat("d").say("ua").await;
    on.chat("d").clear().await;
    assert_eq!(on.usage(&Tenant::default()).await.0, 3);
    on.advance(70).await;
    assert_eq!(on.usage(&Tenant::default()).await, (2, 10, bytes));
}

/// All of the tenant, and nothing of another.
pub async fn it_counts_under_every_memory_key(on: Subject) {
    let tenants = ["a", "a:1", "a:chat_history"].map(|name| Tenant::parse(name).unwrap());
    for (number, tenant) in (1..).zip(&tenants) {
        for key in ["chat_history", "keys", ":", "1:a"] {
            let scope = Scope { tenant: tenant.clone(), memory_key: MemoryKey::parse(key).unwrap() };
            for session in 0..number {
                on.chat_in(&scope, &format!("s{session}")).say("ua").await;
            }
        }
    }
    for (number, tenant) in (1..).zip(&tenants) {
        let (sessions, messages, _) = on.usage(tenant).await;
        assert_eq!((sessions, messages), (4 * number, 8 * number), "{tenant}");
    }
    assert_eq!(on.usage(&Tenant::default()).await, (0, 0, 0));
}

/// More than one piece has.
pub async fn it_counts_many_sessions_once(on: Subject) {
    for number in 0..2300 {
        on.chat(&format!("session {number}")).say("u").await;
    }
    let (sessions, messages, _) = on.usage(&Tenant::default()).await;
    assert_eq!((sessions, messages), (2300, 2300));
}
