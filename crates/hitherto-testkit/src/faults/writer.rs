//! One client that appends until it is told to stop, and tries each append again until it is acknowledged.
//!
//! Invariant: an append keeps its idempotency key over all tries, and the next one is sent only after it was
//! acknowledged, so a writer's own order is the order in which the server acknowledged.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::http::{Answer, Http};
use super::retry;
use super::run::Shared;
use super::sent::{Acknowledged, Append, Sent};
use crate::loss::Chance;

/// How long one try may take: longer than any deadline of the server's.
const TRY_LIMIT: Duration = Duration::from_secs(6);
/// How long one append may be tried: longer than any fault lasts.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many sizes of appends there are: 1, 2, 3 and 4 messages.
const SIZES: u32 = 4;

/// Appends until the run is over, and says what it sent.
pub(super) async fn write(shared: &Shared, writer: u32) -> Vec<Sent> {
    let mut http = Http::default();
    let mut chance = Chance::new(0, writer.into());
    let mut all = Vec::new();
    for number in 0.. {
        if shared.is_over() {
            break;
        }
        let append = Append { writer, number, size: 1 + (writer + number) % SIZES };
        let session = shared.session(writer, number);
        let mut sent = Sent { append, session, began: Instant::now(), acknowledged: None };
        sent.acknowledged = until_acknowledged(shared, &mut http, &mut chance, &sent).await;
        shared.note(&sent);
        let given_up = sent.acknowledged.is_none();
        all.push(sent);
        if given_up {
            break;
        }
        if let Some(pause) = shared.pause() {
            tokio::time::sleep(pause).await;
        }
    }
    all
}

/// Sends an append once more, and gives the status and the number of its first message.
///
/// # Panics
/// If there is no answer.
pub async fn again(target: SocketAddr, sent: &Sent) -> (u16, Option<u64>) {
    let answer = one_try(&mut Http::default(), target, sent).await.expect("an answer");
    (answer.status, answer.json()["messages"][0]["seq"].as_u64())
}

async fn until_acknowledged(
    shared: &Shared,
    http: &mut Http,
    chance: &mut Chance,
    sent: &Sent,
) -> Option<Acknowledged> {
    let mut failures = 0;
    while sent.began.elapsed() < PATIENCE {
        let target = shared.target(sent.append.writer, failures);
        let answer = one_try(http, target, sent).await;
        let retry_after = match answer {
            Ok(answer) if answer.status < 300 => return Some(acknowledged(shared, sent, &answer)),
            Ok(answer) => {
                shared.refused(&answer);
                if !may_be_tried_again(answer.status) {
                    return None;
                }
                answer.retry_after
            }
            Err(error) => {
                shared.broken(error.kind());
                None
            }
        };
        tokio::time::sleep(retry::pause(failures, retry_after, chance.unit())).await;
        failures += 1;
    }
    None
}

async fn one_try(http: &mut Http, target: SocketAddr, sent: &Sent) -> io::Result<Answer> {
    let headers =
        ["content-type: application/json".to_owned(), format!("idempotency-key: {}", sent.append.key())];
    let line = format!("POST /v1/sessions/{}/messages", sent.session);
    http.call(target, &line, &headers, sent.append.body().as_bytes(), TRY_LIMIT).await
}

/// Whether an error may pass: the server, not the request, is what is wrong.
fn may_be_tried_again(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

fn acknowledged(shared: &Shared, sent: &Sent, answer: &Answer) -> Acknowledged {
    let json = answer.json();
    let messages = json["messages"].as_array().map_or(0, Vec::len);
    assert_eq!(messages, sent.append.size as usize, "an acknowledgement of something else: {json}");
    assert_eq!(json["session"], sent.session.as_str(), "an acknowledgement of something else");
    let first_seq = json["messages"][0]["seq"].as_u64().expect("a sequence number");
    Acknowledged { at: Instant::now(), first_seq, logged: shared.logged() }
}
