//! The model summariser over a real socket, against a fake model that speaks the real protocols.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

#[path = "model/faults.rs"]
mod faults;
#[path = "model/protocols.rs"]
mod protocols;
#[path = "model/secrets.rs"]
mod secrets;
#[path = "model/tls.rs"]
mod tls;

use hitherto::summary::{Api, Line, ModelOptions, ModelSummariser, Piece, Summariser as _, SummariserError};
use hitherto::{Encoding, Role};
use hitherto_testkit::FakeModel;

/// Stands in what is said, and must stand in no error and no log line.
const SAID: &str = "xylophone-4711";

const APIS: [Api; 3] = [Api::OpenAi, Api::Azure, Api::Anthropic];

fn options(fake: &FakeModel, api: Api) -> ModelOptions {
    let url = match api {
        Api::OpenAi => fake.openai(),
        Api::Azure => fake.azure(),
        _ => fake.anthropic(),
    };
    ModelOptions::new(api, &url, "some-model").key(fake.key())
}

fn summariser(fake: &FakeModel, api: Api) -> ModelSummariser {
    ModelSummariser::new(options(fake, api)).unwrap()
}

fn piece() -> Piece {
    let lines = vec![
        Line::new(1, Role::User, &format!("My name is Zoë and I play the {SAID}.")),
        Line::new(2, Role::Assistant, "Hello Zoë!"),
    ];
    Piece::new(Some("They met on 2026-11-21.".to_owned()), lines, 60, Encoding::O200k)
}

/// What the model makes of the piece; whatever it is, it shows no secret.
async fn ask(fake: &FakeModel, model: &ModelSummariser) -> Result<String, SummariserError> {
    let answer = model.summarise(&piece()).await;
    if let Err(error) = &answer {
        let shown = format!("{error} {error:?} {model:?}");
        assert!(!shown.contains(SAID) && !shown.contains(fake.key()), "{shown}");
    }
    answer
}
