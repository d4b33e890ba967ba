//! Sessions whole: as a client reads them over HTTP, and straight from where they lie.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hitherto::{ChatMemory, Direction, Record, SessionId, SessionQuery};

use super::check::{Found, Sessions};
use super::http::Http;
use crate::client::Client;

/// How many messages are read at once.
const PAGE: u32 = 1000;
/// How long a session may take to be read, after all faults.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(6);
/// How long is waited before a request that failed is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// The sessions of these names, page by page. A session that is not there is empty.
///
/// # Panics
/// If the server does not answer for a long time after the faults are over.
pub async fn over_http(address: SocketAddr, names: impl IntoIterator<Item = String>) -> Sessions {
    let mut http = Http::default();
    let mut all = Sessions::new();
    for name in names {
        let mut found: Vec<Found> = Vec::new();
        loop {
            let after = found.last().map_or(0, |found| found.seq);
            let path = format!("/v1/sessions/{name}/messages?after={after}&limit={PAGE}");
            let Some(page) = page(&mut http, address, &path).await else { break };
            let messages = page["messages"].as_array().expect("messages");
            found.extend(messages.iter().map(|message| Found {
                seq: message["seq"].as_u64().expect("a number"),
                text: message["content"].as_str().unwrap_or_default().to_owned(),
            }));
            if page["more"] != true {
                break;
            }
        }
        all.insert(name, found);
    }
    all
}

/// One page; `None` if there is no such session.
async fn page(http: &mut Http, address: SocketAddr, path: &str) -> Option<serde_json::Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = http.get(address, path, LIMIT).await;
        match &answer {
            Ok(answer) if answer.status == 200 => return Some(answer.json()),
            Ok(answer) if answer.status == 404 => return None,
            _ => assert!(Instant::now() < deadline, "{path} cannot be read: {answer:?}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// All sessions of these servers, past Hitherto: every list of records. Nothing is deleted in these runs, so a
/// record's place is its number.
///
/// # Panics
/// If there is something else than a record.
pub fn straight_from_redis(servers: &mut [Client]) -> Sessions {
    let mut all = Sessions::new();
    for server in servers {
        for key in server.command(&["KEYS", "hitherto:*:log"]).expect("an answer").texts() {
            let name = key.trim_end_matches("}:log").rsplit(':').next().unwrap_or_default().to_owned();
            let records = server.command(&["LRANGE", &key, "0", "-1"]).expect("an answer");
            let crate::Reply::Array(records) = records else { panic!("{key} is no list: {records:?}") };
            let found = (1..).zip(records).map(|(seq, record)| {
                let crate::Reply::Bulk(bytes) = record else { panic!("{key} {seq} is no record") };
                let record =
                    Record::decode(bytes.into()).unwrap_or_else(|error| panic!("{key} {seq}: {error}"));
                let message = record.message.unwrap_or_else(|| panic!("{key} {seq} is deleted"));
                Found { seq, text: message.text() }
            });
            all.insert(name, found.collect());
        }
    }
    all
}

/// All sessions of a file, opened in this process.
///
/// # Panics
/// If it cannot be opened or read.
pub async fn straight_from_file(path: &Path) -> Sessions {
    let memory = ChatMemory::embedded(path).expect("a file that opens after the fault");
    let mut all = Sessions::new();
    let query = SessionQuery { limit: PAGE, ..SessionQuery::default() };
    let listed = memory.sessions(&query).await.expect("a list of sessions");
    for listed in listed.sessions {
        let session = SessionId::parse(listed.session.as_str()).expect("an id");
        let mut found: Vec<Found> = Vec::new();
        loop {
            let from = Direction::After(found.last().map_or(0, |found| found.seq));
            let page = memory.messages(&session, from, PAGE).await.expect("a page");
            let messages = page.messages.iter();
            found.extend(messages.map(|message| Found { seq: message.seq, text: message.message.text() }));
            if !page.more {
                break;
            }
        }
        all.insert(session.as_str().to_owned(), found);
    }
    all
}
