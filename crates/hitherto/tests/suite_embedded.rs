//! The suite of every store, on the embedded one: a new file for each case, and a clock that is turned by hand.

// The helpers of a test may stop it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hitherto::store::Seq;
use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::{SessionKey, Store, Timestamp};
use hitherto_testkit::model::{model_check, writers_check};
use hitherto_testkit::suite::{Bench, Junk, Subject};
use rusqlite::{Connection, params};

struct Embedded {
    store: Arc<EmbeddedStore>,
    now: AtomicI64,
    folder: tempfile::TempDir,
}

impl Embedded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = EmbeddedOptions::new(folder.path().join("chat.db"));
        // The suite is about what is answered, not when: a busy machine must not fail it.
        options.deadline = Duration::from_secs(30);
        let store = Arc::new(EmbeddedStore::open(options).unwrap());
        Self { store, now: AtomicI64::new(1_763_805_600_123), folder }
    }

    /// The file as somebody else opens it.
    fn file(&self) -> Connection {
        let file = Connection::open(self.folder.path().join("chat.db")).unwrap();
        file.busy_timeout(Duration::from_secs(30)).unwrap();
        file
    }
}

#[async_trait]
impl Bench for Embedded {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    async fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    async fn spoil(&self, key: &SessionKey, seq: Seq, junk: Junk) {
        let set = match junk {
            Junk::Foreign => "role = 'human'",
            Junk::Newer => "dialect = 200",
            Junk::Damaged => "json = substr(json, 1, length(json) - 1)",
        };
        let sql = format!(
            "UPDATE message SET {set} WHERE seq = ?4 AND session =
                (SELECT id FROM session WHERE tenant = ?1 AND memory_key = ?2 AND name = ?3)"
        );
        let (tenant, memory_key) = (key.scope.tenant.as_str(), key.scope.memory_key.as_str());
        let names = params![tenant, memory_key, key.session.as_str(), i64::try_from(seq).unwrap()];
        assert_eq!(self.file().execute(&sql, names).unwrap(), 1, "there is nothing at {seq} to spoil");
    }

    async fn leftovers(&self) -> Vec<String> {
        self.store.sweep(self.now()).await.unwrap();
        let file = self.file();
        let mut rows = Vec::new();
        for (table, row) in [
            ("session", "name"),
            ("message", "session || '/' || seq"),
            ("once", "session || '/' || key"),
            ("garbage", "session"),
            ("summary", "session || '/' || place"),
            ("lease", "session"),
            ("due", "session"),
        ] {
            let mut statement = file.prepare(&format!("SELECT '{table} ' || {row} FROM {table}")).unwrap();
            let found = statement.query_map([], |row| row.get(0)).unwrap();
            rows.extend(found.map(Result::unwrap));
        }
        rows
    }
}

hitherto_testkit::store_suite!(Subject::new(Embedded::new()));

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_what_the_model_answers() {
    model_check(Subject::new(Embedded::new()), 1, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_never_get_in_each_others_way() {
    writers_check(Subject::new(Embedded::new()), 1, 20).await;
}
