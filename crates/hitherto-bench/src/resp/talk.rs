//! The client: a batch of commands in flight on each connection, and a sample of the replies compared with what has
//! to come.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};

use super::said::{self, Elements};
use super::wire::{self, Replies};
use super::works::{Does, Work};
use crate::load::{self, Load, Random, SAMPLE, Talk};

pub(super) const CONNECTIONS: usize = 64;
pub(super) const SESSIONS: usize = 1000;

/// What goes out and what came back.
pub(super) struct Lists {
    does: Does,
    pipeline: usize,
    seeded: u64,
    /// By session; where turns are pushed, a person's message and then the model's.
    requests: Vec<Vec<Vec<u8>>>,
    elements: Elements,
    /// How many messages a session has once all that was pushed is stored.
    lengths: Vec<u64>,
    random: Random,
    answers: u64,
    unchecked: u64,
    out: Vec<u8>,
    scratch: Vec<u8>,
}

/// A batch in flight.
pub(super) struct Batch {
    /// The sessions of this connection: it shares none with others, as clients share none.
    own: Vec<usize>,
    next: usize,
    replies: Replies,
    /// Kept if this batch is to be checked.
    sample: Option<Sample>,
}

#[derive(Default)]
struct Sample {
    /// The session of each command, and its length after that.
    asked: Vec<(usize, u64)>,
    came: Vec<u8>,
}

type Connection = load::Connection<Batch>;

impl Lists {
    /// Opens the connections of a load.
    pub(super) fn open(work: &Work, address: SocketAddr) -> Result<Load<Self>> {
        let elements = Elements::default();
        let requests = |session| match work.does {
            Does::Turns | Does::Scattered => vec![elements.push(session, 1), elements.push(session, 2)],
            Does::History => vec![said::range(session, "19")],
            Does::Context => vec![said::range(session, "-1")],
        };
        let lists = Lists {
            does: work.does,
            pipeline: work.pipeline,
            seeded: work.seeded,
            requests: (0..SESSIONS).map(requests).collect(),
            elements,
            lengths: vec![work.seeded; SESSIONS],
            random: Random::default(),
            answers: 0,
            unchecked: 0,
            out: Vec::new(),
            scratch: vec![0; 64 * 1024],
        };
        let batch = |connection: usize| Batch {
            own: (connection..SESSIONS).step_by(CONNECTIONS).collect(),
            next: 0,
            replies: Replies::default(),
            sample: None,
        };
        Load::open(address, (0..CONNECTIONS).map(batch), lists)
    }

    /// How many messages each session has.
    pub(super) fn lengths(&self) -> &[u64] {
        &self.lengths
    }

    /// The session of the next command of a connection. A turn is said to its end before the next one begins.
    fn session(&mut self, batch: &mut Batch) -> usize {
        let current = batch.own[batch.next];
        match self.does {
            Does::Turns if self.lengths[current] % 2 == 1 => {}
            Does::Scattered => batch.next = (batch.next + 1) % batch.own.len(),
            _ => batch.next = (self.random.next() >> 32) as usize % batch.own.len(),
        }
        batch.own[batch.next]
    }

    /// What has to come for these commands.
    fn expected(&self, asked: &[(usize, u64)]) -> Vec<u8> {
        let reply = |&(session, length)| match self.does.reads() {
            true => self.elements.newest(session, self.seeded),
            false => wire::integer(length),
        };
        asked.iter().flat_map(reply).collect()
    }

    fn check(&self, Sample { asked, came }: &Sample) -> Result<()> {
        let expected = self.expected(asked);
        if *came != expected {
            let at = came.iter().zip(&expected).take_while(|(came, expected)| came == expected).count();
            let shown = |bytes: &[u8]| {
                let from = &bytes[at.min(bytes.len())..];
                String::from_utf8_lossy(&from[..from.len().min(200)]).into_owned()
            };
            bail!("after {at} bytes there should be {:?} and is {:?}", shown(&expected), shown(came));
        }
        Ok(())
    }
}

impl Talk for Lists {
    type State = Batch;

    fn send(&mut self, connection: &mut Connection) -> Result<()> {
        let batch = &mut connection.state;
        if self.unchecked >= SAMPLE {
            self.unchecked = 0;
            batch.sample = Some(Sample::default());
        }
        self.out.clear();
        for _ in 0..self.pipeline {
            let session = self.session(batch);
            let requests = &self.requests[session];
            self.out.extend_from_slice(&requests[self.lengths[session] as usize % requests.len()]);
            self.lengths[session] += u64::from(!self.does.reads());
            if let Some(sample) = &mut batch.sample {
                sample.asked.push((session, self.lengths[session]));
            }
        }
        batch.replies = Replies::of(self.pipeline);
        // The connection is idle, so even a pipeline fits in one piece.
        let written = connection.stream.write(&self.out).context("sending commands")?;
        ensure!(written == self.out.len(), "commands went out in pieces: {written} of {}", self.out.len());
        Ok(())
    }

    /// After the last reply nothing more can come before the next command, so there is no second `read` to learn that.
    fn receive(&mut self, connection: &mut Connection) -> Result<bool> {
        loop {
            let read = match connection.stream.read(&mut self.scratch) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error).context("reading replies"),
            };
            let came = &self.scratch[..read];
            let batch = &mut connection.state;
            if let Some(sample) = &mut batch.sample {
                sample.came.extend_from_slice(came);
            }
            if batch.replies.follow(came)? {
                if let Some(sample) = batch.sample.take() {
                    self.check(&sample).with_context(|| format!("sessions {:?}", sample.asked))?;
                }
                self.answers += self.pipeline as u64;
                self.unchecked += self.pipeline as u64;
                return Ok(true);
            }
        }
    }

    fn answers(&self) -> u64 {
        self.answers
    }
}
