//! A model that fails: what the caller is told, and that it is told in time.

use std::time::Duration;

use hitherto::summary::{Api, ModelSummariser, SummariserError};
use hitherto_testkit::{Behaviour, FakeModel};

use crate::{APIS, ask, options, summariser};

/// A deadline for tests in which it passes.
const SHORT: Duration = Duration::from_millis(200);

fn hasty(fake: &FakeModel, api: Api) -> ModelSummariser {
    let mut options = options(fake, api);
    options.timeout = SHORT;
    ModelSummariser::new(options).unwrap()
}

fn status(status: u16, reason: &str, retry_after_secs: Option<u64>) -> SummariserError {
    let retry_after = retry_after_secs.map(Duration::from_secs);
    SummariserError::Status { status, reason: reason.to_owned(), retry_after }
}

#[tokio::test]
async fn an_error_is_its_status_its_code_and_how_long_to_wait() {
    for api in APIS {
        let fake = FakeModel::start();
        let model = summariser(&fake, api);
        let garbage = "x".repeat(200_000);
        for (behaviour, expected) in [
            (
                Behaviour::status(429).with_header("Retry-After", "7"),
                status(429, "rate_limit_exceeded", Some(7)),
            ),
            (
                Behaviour::status(429).with_header("retry-after-ms", "3000").with_header("retry-after", "9"),
                status(429, "rate_limit_exceeded", Some(3)),
            ),
            (
                Behaviour::status(503).with_header("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
                status(503, "engine_overloaded", Some(0)),
            ),
            (Behaviour::status(500), status(500, "server_error", None)),
            (Behaviour::status(529), status(529, "overloaded_error", None)),
            (Behaviour::error(400, "context_length_exceeded"), status(400, "context_length_exceeded", None)),
            (Behaviour::error(401, fake.key()), status(401, "the key is not accepted", None)),
            (Behaviour::error(500, crate::SAID), status(500, "an error of its own", None)),
            (Behaviour::error(400, "content_filter"), SummariserError::Refused),
            (Behaviour::raw(502, "text/html", "<html>"), status(502, "bad gateway", None)),
            (Behaviour::raw(503, "text/html", garbage), status(503, "unavailable", None)),
        ] {
            let name = format!("{api:?} {behaviour:?}");
            fake.next(behaviour);
            assert_eq!(ask(&fake, &model).await, Err(expected), "{name}");
        }
    }
}

#[tokio::test]
async fn a_model_that_is_down_is_unreachable_and_then_reachable_again() {
    let fake = FakeModel::start();
    fake.always(Behaviour::says("Zoë."));
    let model = summariser(&fake, Api::OpenAi);
    ask(&fake, &model).await.unwrap();
    fake.down().await;
    let error = ask(&fake, &model).await.unwrap_err();
    let SummariserError::Unreachable(reason) = error else { panic!("{error:?}") };
    assert!(reason.starts_with(&fake.addr().to_string()) && reason.contains("refused"), "{reason}");
    fake.up().await;
    assert_eq!(ask(&fake, &model).await.as_deref(), Ok("Zoë."));
}

#[tokio::test]
async fn a_cut_connection_is_no_answer() {
    for api in APIS {
        let fake = FakeModel::start();
        let model = summariser(&fake, api);
        for behaviour in [Behaviour::cut_before_reply(), Behaviour::cut_within_reply()] {
            fake.next(behaviour);
            let error = ask(&fake, &model).await.unwrap_err();
            assert!(matches!(error, SummariserError::Unreachable(_)), "{api:?} {error:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"-ERR unknown command 'POST'\r\n").await.unwrap();
        stream
    });
    let fake = FakeModel::start();
    let mut options = options(&fake, Api::OpenAi);
    options.url = address;
    let error = ask(&fake, &ModelSummariser::new(options).unwrap()).await.unwrap_err();
    assert!(matches!(error, SummariserError::Unreachable(_)), "{error:?}");
    served.await.unwrap();
}

#[tokio::test]
async fn the_deadline_holds_against_silence_and_against_a_drip() {
    for api in APIS {
        let fake = FakeModel::start();
        let model = hasty(&fake, api);
        for behaviour in [Behaviour::silent(), Behaviour::drips()] {
            fake.next(behaviour);
            assert_eq!(ask(&fake, &model).await, Err(SummariserError::TimedOut(SHORT)), "{api:?}");
            // It lets go of the connection, too.
            fake.until(|counts| counts.open == 0).await;
        }
    }
}

#[tokio::test]
async fn a_held_answer_comes_when_it_is_let_go() {
    let fake = FakeModel::start();
    fake.always(Behaviour::says("Zoë."));
    let model = summariser(&fake, Api::OpenAi);
    let hold = fake.hold();
    let (answer, ()) = tokio::join!(ask(&fake, &model), async {
        fake.until_requests(1).await;
        drop(hold);
    });
    assert_eq!(answer.as_deref(), Ok("Zoë."));
}

/// Without the bound, the deadline of a minute would end these, and the process would hold gigabytes by then.
#[tokio::test]
async fn a_flood_is_cut_off_at_the_bound() {
    let fake = FakeModel::start();
    let model = summariser(&fake, Api::OpenAi);
    fake.next(Behaviour::floods(200));
    assert_eq!(ask(&fake, &model).await, Err(SummariserError::NotText("it is larger than 1 MiB".to_owned())));
    fake.until(|counts| counts.open == 0).await;
    fake.next(Behaviour::floods(500));
    assert_eq!(ask(&fake, &model).await, Err(status(500, "an error of its own", None)));
    let counts = fake.until(|counts| counts.open == 0).await;
    // The sockets on both sides hold a few megabytes of what nobody reads.
    assert!(counts.flooded < 32 << 20, "{counts:?}");
}

/// A redirection could lead the key, and all that was said, to another host.
#[tokio::test]
async fn a_redirection_is_not_followed() {
    let other = FakeModel::start();
    for api in APIS {
        let fake = FakeModel::start();
        let model = summariser(&fake, api);
        for code in [301, 302, 307, 308] {
            for to in [format!("{}/v1/chat/completions", other.root()), "/v1/messages".to_owned()] {
                fake.next(Behaviour::redirects(code, &to));
                let expected = status(code, "it redirects, which is not followed", None);
                assert_eq!(ask(&fake, &model).await, Err(expected));
            }
        }
        assert_eq!(fake.counts().requests, 8);
    }
    assert_eq!(other.counts().connections, 0);
}
