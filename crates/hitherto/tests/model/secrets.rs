//! Nothing secret and nothing that was said is logged, by us or by the libraries below, at the finest level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use hitherto::summary::ModelSummariser;
use hitherto_testkit::{Behaviour, Certificates, FakeModel};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::{APIS, SAID, options, piece};
use hitherto::summary::Summariser as _;

/// All that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The libraries below log by `log`, hyper and we by `tracing`.
impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.clone(), "{} {} {}", record.level(), record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn no_log_line_has_a_secret_or_what_was_said() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .init();
    log::set_boxed_logger(Box::new(log.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let certificates = Certificates::new();
    for fake in [FakeModel::start(), FakeModel::start_tls(&certificates)] {
        for api in APIS {
            let mut options =
                options(&fake, api).header("x-gateway", "gateway-0815").field("user", json!("user-0815"));
            let query = if options.url.contains('?') { '&' } else { '?' };
            options.url.push_str(&format!("{query}token=query-0815"));
            options.timeout = std::time::Duration::from_millis(500);
            options.ca = fake.root().starts_with("https").then(|| certificates.ca());
            let model = ModelSummariser::new(options).unwrap();
            for behaviour in [
                Behaviour::says(&format!("Zoë plays the {SAID}.")),
                Behaviour::echo(),
                Behaviour::status(429),
                Behaviour::raw(200, "text/html", SAID),
                Behaviour::redirects(307, "http://127.0.0.1:1/?xylophone-4711"),
                Behaviour::cut_before_reply(),
                Behaviour::cut_within_reply(),
                Behaviour::silent(),
            ] {
                fake.next(behaviour);
                let _ = model.summarise(&piece()).await;
            }
        }
        let text = log.text();
        for secret in [fake.key(), SAID, "gateway-0815", "user-0815", "query-0815", "Zoë"] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
    let text = log.text();
    assert!(text.contains("reqwest") && text.contains("hyper"), "the log was listened to: {text}");
}
