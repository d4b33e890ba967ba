//! Odd names and other people's sessions: nothing is ever mistaken for something else (I6).

use hitherto::store::Pop;
use hitherto::{MemoryKey, Scope, Tenant};

use super::subject::{Subject, once};

/// Names that would meet if one of them were put into a key, a pattern or a statement as it is.
pub(super) fn hostile() -> Vec<String> {
    let long = "x".repeat(511);
    let mut names: Vec<String> = [
        "a",
        "A",
        "a:b",
        "a:",
        ":a",
        ":",
        "::",
        "{",
        "}",
        "{}",
        "}{",
        "{x}",
        "{x",
        "x}",
        "x",
        "a}:{b",
        "*",
        "a*",
        "?",
        "[a]",
        "%",
        "_",
        "a%",
        "\\",
        "\\a",
        "'",
        "\"",
        "a' OR '1'='1",
        "; DROP TABLE session; --",
        "\n",
        "a\n",
        "a\r\n",
        "\r\nDEL *",
        "\0",
        "a\0",
        "a\0b",
        " ",
        " a",
        "a ",
        "\t",
        "s}:log",
        "s}:h",
        "s}:once:k",
        "s:log",
        "s:meta",
        "s",
        "log",
        "1:s",
        "1",
        "01",
        "1.0",
        "-1",
        "null",
        "../s",
        "/",
        "a/b",
        "é",
        "e\u{301}",
        "İ",
        "\u{2028}",
        "\u{feff}a",
        "\u{200b}",
        "日本",
        "🦀",
        "\u{10ffff}",
        "default",
        "chat_history",
        "7:default1:s",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    names.extend([format!("{long}1"), format!("{long}2"), long]);
    names
}

/// Each of many hostile ids has its own messages, settings and keys, before and after others are cleared.
pub async fn hostile_session_ids_never_meet(on: Subject) {
    let names = hostile();
    for (count, name) in names.iter().enumerate() {
        let chat = on.chat(name);
        assert_eq!(chat.held().await, "", "{name:?} is not new");
        let receipt = chat.say_once("u", "k", count as u128).await.unwrap();
        assert_eq!((receipt.first_seq, receipt.repeated), (1, false), "{name:?}");
        chat.edit(1, name).await;
    }
    for (count, name) in names.iter().enumerate() {
        let chat = on.chat(name);
        assert_eq!(chat.record(1).await.message.unwrap().text(), *name);
        assert!(chat.say_once("u", "k", count as u128).await.unwrap().repeated, "{name:?}");
        assert_eq!(chat.held().await, "1u", "{name:?}");
    }
    let mut listed = on.names().await;
    let mut expected = names.clone();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    for (count, name) in names.iter().enumerate() {
        assert_eq!(on.chat(name).clear().await, Some(1), "{name:?} was already gone");
        assert_eq!(on.names().await.len(), names.len() - count - 1, "after {name:?}");
    }
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// A tenant and a memory key may be as odd as a session id, and no two ways of writing three names meet.
pub async fn tenants_and_memory_keys_never_meet(on: Subject) {
    let parts = ["a", "a:b", "b", "a:", ":", "}{", "{a}", "\0", "s}:log", "1", "*"];
    let mut chats = Vec::new();
    for tenant in parts {
        for memory_key in parts {
            for session in ["a", "b:a", ":", "a:b:a", "*"] {
                let scope = Scope {
                    tenant: Tenant::parse(tenant).unwrap(),
                    memory_key: MemoryKey::parse(memory_key).unwrap(),
                };
                chats.push(on.chat_in(&scope, session));
            }
        }
    }
    for (number, chat) in chats.iter().enumerate() {
        let receipt = chat.say_once("u", "k", number as u128).await.unwrap();
        assert_eq!((receipt.first_seq, receipt.repeated), (1, false), "{:?}", chat.key);
        chat.edit(1, &number.to_string()).await;
    }
    for (number, chat) in chats.iter().enumerate() {
        assert_eq!(chat.record(1).await.message.unwrap().text(), number.to_string(), "{:?}", chat.key);
    }
    for chat in &chats {
        assert_eq!(on.listed(&chat.key.scope, "", 3).await.len(), 5, "{:?}", chat.key.scope);
    }
}

/// Whatever one tenant does, another's session of the same name stays as it is.
pub async fn one_tenant_cannot_change_anothers_session(on: Subject) {
    let scope = |tenant, memory_key| Scope {
        tenant: Tenant::parse(tenant).unwrap(),
        memory_key: MemoryKey::parse(memory_key).unwrap(),
    };
    let mine = on.chat_in(&scope("me", "chat"), "s");
    let others = [on.chat_in(&scope("you", "chat"), "s"), on.chat_in(&scope("me", "notes"), "s")];
    mine.say_once("uaua", "k", 7).await.unwrap();
    for other in &others {
        assert!(!other.exists().await);
        assert_eq!(other.held().await, "");
        assert_eq!(other.pop(Pop::Turn).await, "");
        assert_eq!(other.clear().await, None);
        assert!(other.fork(&mine.beside("t"), None).await.is_err());
        assert_eq!(on.listed(&other.key.scope, "", 9).await, []);
        assert!(!other.say_once("u", "k", 8).await.unwrap().repeated);
        other.fork(&other.beside("t"), None).await.unwrap();
        assert!(!mine.beside("t").exists().await);
        other.beside("t").clear().await;
    }
    others[0].clear().await;
    others[1].delete(1).await;
    assert_eq!(mine.held().await, "1u 2a 3u 4a");
    let batch = hitherto::store::Batch { once: once("k", 7), ..mine.batch("uaua") };
    assert!(mine.send(batch).await.repeated);
    let names = on.listed(&mine.key.scope, "", 9).await;
    assert_eq!(names.iter().map(|listed| listed.session.as_str()).collect::<Vec<_>>(), ["s"]);
}

/// The longest names that there are.
pub async fn the_longest_names_work(on: Subject) {
    let scope = Scope {
        tenant: Tenant::parse(&"é".repeat(64)).unwrap(),
        memory_key: MemoryKey::parse(&"k".repeat(128)).unwrap(),
    };
    let (one, two) = (on.chat_in(&scope, &"x".repeat(4096)), on.chat_in(&scope, &"x".repeat(4095)));
    one.say("ua").await;
    assert_eq!(two.held().await, "");
    two.say("u").await;
    assert_eq!(one.held().await, "1u 2a");
    assert_eq!(on.listed(&scope, &"x".repeat(4096), 1).await.len(), 1);
    assert_eq!(on.listed(&scope, &"x".repeat(4095), 1).await.len(), 2);
}
