//! The demo conversation: the radio between Apollo 13 and Houston during the accident.

use hitherto::{AppendOptions, ChatMemory, Error, Limits, Message, SessionId};

const CONVERSATION: &str = include_str!("../../../examples/apollo13-air-to-ground.jsonl");
const SESSION: &str = "apollo13";
const CHUNK: usize = 400;

/// Stores the conversation, once: what an earlier start stored is skipped, whole or interrupted.
pub(crate) async fn load(memory: &ChatMemory) -> hitherto::Result<()> {
    // The limits are for clients; however tight they are set, the demo is stored.
    let memory = memory.clone().with_limits(Limits::default());
    let session = SessionId::parse(SESSION)?;
    let lines: Vec<&str> = CONVERSATION.lines().collect();
    let stored = memory.describe(&session).await?.map_or(0, |found| found.last_seq);
    for (index, chunk) in lines.chunks(CHUNK).enumerate() {
        if stored >= ((index + 1) * CHUNK).min(lines.len()) as u64 {
            continue;
        }
        let messages = chunk
            .iter()
            .enumerate()
            .map(|(index, line)| {
                Message::parse(bytes::Bytes::from_static(line.as_bytes()))
                    .map_err(|error| Error::Message { index, error })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut options = AppendOptions::default();
        options.idempotency_key = Some(format!("hitherto-demo-{index}"));
        memory.append(&session, messages, &options).await?;
    }
    Ok(())
}

/// Four lines to paste into a shell.
pub(crate) fn lines(server: &str) -> String {
    let url = format!("{server}/v1/sessions/{SESSION}");
    format!(
        "\nThe radio between Apollo 13 and Houston is session `{SESSION}`. Try, in another terminal:\n\n\
         \x20 curl '{url}/messages?last_turns=2'\n\
         \x20 curl '{url}/messages' --json '{{\"messages\":[{{\"role\":\"user\",\"content\":\"Houston, do you read?\"}}]}}'\n\
         \x20 curl '{url}'\n\
         \x20 curl '{url}/context?max_tokens=1000&format=text'\n"
    )
}
