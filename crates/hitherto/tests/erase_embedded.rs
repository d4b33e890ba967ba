//! Erasing a user from the embedded file: of what the user said, no byte is left, neither in the file nor in its journal;
//! files of version 2 are brought along; and an erasure whose process was killed is taken up again.

// The helpers of a test may stop it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod version_2;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hitherto::store::Mark;
use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::{
    AppendOptions, Change, ChatMemory, Configure, Direction, Edit, Message, Pop, SessionId, SessionQuery,
    Store, StoreError, Tenant, UserId,
};
use rusqlite::Connection;

const LONG: Duration = Duration::from_secs(60);

fn open(path: &Path) -> EmbeddedStore {
    let mut options = EmbeddedOptions::new(path);
    options.deadline = LONG;
    EmbeddedStore::open(options).unwrap()
}

fn memory(path: &Path) -> ChatMemory {
    ChatMemory::new(std::sync::Arc::new(open(path)))
}

fn session(name: &str) -> SessionId {
    SessionId::parse(name).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn of(name: &str) -> AppendOptions {
    let mut options = AppendOptions::default();
    options.user = Some(user(name));
    options
}

/// In which of the store's files a text is found.
fn found_in(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(file.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

/// A conversation of many sizes, so that rows are moved between pages, overflow, are edited, deleted and trimmed.
async fn live(memory: &ChatMemory, rounds: usize) {
    for round in 0..rounds {
        for (who, mark) in [("SECRET-user", "SECRET"), ("other", "public")] {
            let id = session(&format!("{mark}-session-{}", round % 7));
            let size = [5, 60, 300, 1200, 5000, 9000][(round * 5 + who.len()) % 6];
            let text = format!("{mark}-said ").repeat(size / 12 + 1);
            let messages = vec![Message::user(&text), Message::assistant(&text)];
            memory.append(&id, messages, &of(who)).await.unwrap();
            if round % 3 == 0 {
                let mut edit = Edit::default();
                edit.content = Some(format!("\"{mark}-edited {round}\""));
                let known = memory.describe(&id).await.unwrap().unwrap();
                memory.edit(&id, known.last_seq, &edit).await.unwrap();
            }
            if round % 5 == 0 {
                memory.pop(&id, Pop::Message).await.unwrap();
            }
            if round % 11 == 0 {
                let metadata = Change::Set(format!("{{\"about\":\"{mark}-metadata\"}}"));
                let max_messages = Change::Set(8);
                let change = Configure { metadata, max_messages, ..Configure::default() };
                memory.configure(&id, &change).await.unwrap();
            }
            if round % 4 == 3 {
                let known = memory.describe(&id).await.unwrap().unwrap();
                memory.put_summary(&id, &format!("{mark}-summary {round}"), known.last_seq).await.unwrap();
            }
        }
    }
}

/// The promise of an erasure, looked for in the bytes of every file of the store, while it is open.
#[tokio::test]
async fn no_byte_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let memory = memory(&path);
    live(&memory, 120).await;
    // What has gone before the erasure, one way or another, is gone with it.
    memory.clear(&session("SECRET-session-3")).await.unwrap();
    assert!(!found_in(&path, "SECRET").is_empty(), "there is nothing to look for");
    let others = memory.usage().await.unwrap();
    let erasure = memory.erase_user(&user("SECRET-user"), LONG).await.unwrap();
    assert!(erasure.done, "{erasure:?}");
    assert_eq!((erasure.sessions, erasure.left), (6, 0));
    let left = memory.usage().await.unwrap();
    assert_eq!(left.sessions + erasure.sessions, others.sessions);
    assert_eq!(
        (left.messages + erasure.messages, left.bytes + erasure.bytes),
        (others.messages, others.bytes)
    );
    assert_eq!(found_in(&path, "SECRET"), [""; 0]);
    assert!(found_in(&path, "public-said").contains(&"chat.db".to_owned()));
    for number in 0..7 {
        let id = session(&format!("public-session-{number}"));
        let page = memory.messages(&id, Direction::After(0), 1000).await.unwrap();
        assert!(page.messages.len() >= 7, "{} has {}", id, page.messages.len());
    }
    // Erasing what is gone does not write the file again.
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(memory.erase_user(&user("SECRET-user"), LONG).await.unwrap().sessions, 0);
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before);
}

/// Also of a session that was cleared before, and of one that has expired, though the user has no session any more.
#[tokio::test]
async fn what_was_cleared_before_is_gone_from_the_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let memory = memory(&path);
    live(&memory, 20).await;
    for number in 0..7 {
        memory.clear(&session(&format!("SECRET-session-{number}"))).await.unwrap();
    }
    assert!(!found_in(&path, "SECRET").is_empty(), "clearing does not look into the file's unused places");
    let erasure = memory.erase_user(&user("SECRET-user"), LONG).await.unwrap();
    assert_eq!((erasure.done, erasure.sessions), (true, 0));
    assert_eq!(found_in(&path, "SECRET"), [""; 0]);
}

/// While somebody reads what was there before, the file cannot be cut: the erasure says that it is not done, and is once
/// the reader has ended.
#[tokio::test]
async fn a_reader_keeps_an_erasure_from_being_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let mut options = EmbeddedOptions::new(&path);
    options.deadline = Duration::from_millis(500);
    let memory = ChatMemory::new(std::sync::Arc::new(EmbeddedStore::open(options).unwrap()));
    live(&memory, 3).await;
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message;").unwrap();
    let erasure = memory.erase_user(&user("SECRET-user"), Duration::ZERO).await.unwrap();
    assert!(!erasure.done && erasure.sessions > 0, "{erasure:?}");
    let erasure = memory.erase_user(&user("SECRET-user"), Duration::from_millis(100)).await.unwrap();
    assert_eq!((erasure.done, erasure.sessions, erasure.left), (false, 0, 0));
    reader.execute_batch("COMMIT").unwrap();
    assert!(memory.erase_user(&user("SECRET-user"), LONG).await.unwrap().done);
    assert_eq!(found_in(&path, "SECRET"), [""; 0]);
}

const WRITTEN_BY_2: &str = r#"
INSERT INTO session (id, tenant, memory_key, name, base, last, deleted, turns, bytes, created_at, updated_at, metadata)
    VALUES (1, 'default', 'chat_history', 's', 0, 2, 0, 1, 150, 1763805600000, 1763805600123, '{"a":1}');
INSERT INTO message VALUES
    (1, 1, 'user', 0, 0, x'01980000000070008000000000000001', 1763805600000, NULL, '{"role":"user","content":"SECRET-old"}'),
    (1, 2, 'assistant', 0, 0, x'01980000000070008000000000000002', 1763805600000, NULL, '{"role":"assistant","content":"Hello!"}'),
    (9, 1, 'user', 0, 0, x'01980000000070008000000000000003', 1763805600000, NULL, '{"role":"user","content":"SECRET-deleted"}');
DELETE FROM message WHERE session = 9;
"#;

/// A file of version 2 holds all that it held, can be read as it is, has users from then on, and is scrubbed of what was
/// deleted before by the first erasure.
#[tokio::test]
async fn a_file_of_version_2_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    version_2::write(&path, WRITTEN_BY_2);
    let id = session("s");
    {
        let mut options = EmbeddedOptions::new(&path);
        options.read_only = true;
        let memory = ChatMemory::new(std::sync::Arc::new(EmbeddedStore::open(options).unwrap()));
        let known = memory.describe(&id).await.unwrap().unwrap();
        assert_eq!((known.messages, known.user), (2, None));
        let of_user = SessionQuery { user: Some(user("one")), limit: 9, ..SessionQuery::default() };
        assert_eq!(memory.sessions(&of_user).await.unwrap().sessions, []);
        assert_eq!(memory.usage().await.unwrap().messages, 2);
    }
    assert!(!found_in(&path, "SECRET-deleted").is_empty(), "the old file keeps what was deleted");
    for opened in 0..2 {
        let memory = memory(&path);
        let known = memory.describe(&id).await.unwrap().unwrap();
        assert_eq!((known.bytes >= 150, known.metadata.as_deref()), (true, Some(r#"{"a":1}"#)));
        memory.append(&id, vec![Message::user("And now?")], &of("one")).await.unwrap();
        let other = memory.append(&id, vec![Message::user("mine")], &of("two")).await;
        assert_eq!(other, Err(hitherto::Error::Store(StoreError::UserMismatch)));
        let known = memory.describe(&id).await.unwrap().unwrap();
        assert_eq!((known.messages, known.user), (3 + opened, Some(user("one"))));
    }
    let version: u32 =
        Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
    let memory = memory(&path);
    let erasure = memory.erase_user(&user("one"), LONG).await.unwrap();
    assert_eq!((erasure.done, erasure.sessions, erasure.messages), (true, 1, 4));
    assert_eq!(found_in(&path, "SECRET"), [""; 0]);
}

/// The process dies in the middle of an erasure, at many moments; another one goes on, and between the two no session is
/// there in part.
#[tokio::test]
async fn a_killed_erasure_is_taken_up_again() {
    const CHILD: &str = "HITHERTO_ERASING_CHILD";
    if let Ok(path) = std::env::var(CHILD) {
        // The process that is killed: it erases, and says after which piece it is.
        let store = open(Path::new(&path));
        let mut from = Mark::default();
        println!("erasing");
        loop {
            let now = hitherto::Timestamp::now();
            let piece = store.erase(&Tenant::default(), &user("SECRET-user"), now, &from).await.unwrap();
            println!("erasing");
            match piece.next {
                Some(next) => from = next,
                None => return,
            }
        }
    }
    let mut unfinished = 0;
    for pieces in 1..9 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        {
            let memory = memory(&path);
            for number in 0..450 {
                let id = session(&format!("SECRET-session-{number}"));
                memory.append(&id, vec![Message::user("SECRET-said"); 4], &of("SECRET-user")).await.unwrap();
            }
            memory.append(&session("kept"), vec![Message::user("public")], &of("other")).await.unwrap();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_killed_erasure_is_taken_up_again", "--exact", "--nocapture"])
            .env(CHILD, &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        // Before the first piece, between two, and while the file is written anew.
        let (mut line, mut said) = (String::new(), 0);
        while said < pieces && std::io::BufRead::read_line(&mut out, &mut line).unwrap() > 0 {
            said += u32::from(line.contains("erasing"));
            line.clear();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let memory = memory(&path);
        let left = memory.usage().await.unwrap();
        assert_eq!(left.messages, (left.sessions - 1) * 4 + 1, "a session is there in part");
        unfinished += u32::from(left.sessions > 1);
        let erasure = memory.erase_user(&user("SECRET-user"), LONG).await.unwrap();
        assert_eq!((erasure.done, erasure.sessions), (true, left.sessions - 1), "{pieces}");
        assert_eq!(found_in(&path, "SECRET"), [""; 0], "{pieces}");
        assert_eq!(memory.usage().await.unwrap().messages, 1);
    }
    assert!(unfinished > 0, "every erasure was finished before its process was killed");
}
