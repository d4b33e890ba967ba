//! Files of version 2, which knew no credentials: read as they are, and brought along with all that they hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is wrong"
)]

mod version_2;

use std::path::Path;

use hitherto::access::{Credential, Scopes, Token};
use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::{ChatMemory, SessionId, Store as _, Tenant, Timestamp, Window};
use rusqlite::Connection;

const WRITTEN_BY_2: &str = r#"
INSERT INTO session (id, tenant, memory_key, name, base, last, deleted, turns, bytes, created_at, updated_at)
    VALUES (1, 'default', 'chat_history', 's', 0, 1, 0, 1, 70, 1763805600000, 1763805600000);
INSERT INTO message VALUES
    (1, 1, 'user', 0, 0, x'01980000000070008000000000000001', 1763805600000, NULL, '{"role":"user","content":"I am Zoë."}');
"#;

fn version(path: &Path) -> u32 {
    Connection::open(path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// Who may only read it sees that it has no tokens, and changes nothing; who writes brings it along.
#[tokio::test]
async fn a_file_of_version_2_is_read_and_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    version_2::write(&path, WRITTEN_BY_2);
    let mut only = EmbeddedOptions::new(&path);
    only.read_only = true;
    let reader = EmbeddedStore::open(only).unwrap();
    let token = Token::random().unwrap();
    assert!(!reader.any_credential().await.unwrap());
    assert_eq!(reader.credential(&token.hash()).await.unwrap(), None);
    assert!(reader.credentials(None, None, 10).await.unwrap().credentials.is_empty());
    assert_eq!(version(&path), 2);

    let memory = ChatMemory::embedded(&path).unwrap();
    let session = SessionId::parse("s").unwrap();
    let said = memory.window(&session, Window::Turns(1)).await.unwrap();
    assert_eq!(said.messages[0].message.text(), "I am Zoë.");
    drop(memory);
    let writer = EmbeddedStore::open(EmbeddedOptions::new(&path)).unwrap();
    let now = Timestamp::from_millis(1_763_805_601_000);
    let credential = Credential::new(Tenant::default(), "n", Scopes::ALL, now, None);
    writer.put_credential(&token.hash(), &credential).await.unwrap();
    // Who had it open for reading sees what is there now.
    assert_eq!(reader.credential(&token.hash()).await.unwrap(), Some(credential));
    assert_eq!(version(&path), 3);
}

/// A file that was upgraded and a new one have the same tables.
#[test]
fn an_upgraded_file_is_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    version_2::write(&old, WRITTEN_BY_2);
    let tables = |path: &Path| {
        drop(EmbeddedStore::open(EmbeddedOptions::new(path)).unwrap());
        let file = Connection::open(path).unwrap();
        let sql = "SELECT m.type || ' ' || m.name || ' ' ||
                coalesce(c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '')
                    || ' ' || c.pk, m.sql, '')
            FROM sqlite_schema m LEFT JOIN pragma_table_xinfo(m.name) c ON m.type = 'table' ORDER BY 1";
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    let made = tables(&new);
    assert!(made.iter().any(|row| row.starts_with("table credential hash")), "{made:?}");
    assert_eq!(tables(&old), made);
}
