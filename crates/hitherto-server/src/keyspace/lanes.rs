//! Pipelines about several sessions: each session's commands in order, different sessions at once.
//!
//! One after the other, every command of a pipeline would wait for its own trip to the store.
//! Invariant: two commands of one session are never carried out at once, and replies come in the order of commands.

use std::collections::HashMap;

use futures_util::future::join_all;
use hitherto::SessionId;

use super::command::Command;
use super::table::Op;
use super::{Client, Keyspace, Reply};
use crate::access::Pass;
use crate::metrics::DoorName;

/// How many sessions are worked on at a time for one client.
const LANES: usize = 16;
/// How many commands are looked at together.
const COMMANDS: usize = 256;

/// The commands of one session, each with its place in the pipeline.
type Lane = Vec<(usize, Command)>;

impl Keyspace {
    /// Carries out the commands that these begin with and that are about single sessions, where that is more than one
    /// session, gives a reply to each, and says how many that were; none where [`Keyspace::advance`] has to.
    pub(crate) async fn side_by_side(
        &self,
        client: &mut Client,
        commands: &[Command],
        replies: &mut Vec<Reply>,
    ) -> usize {
        // A transaction is queued in order, and what may have been pushed before is looked for in order.
        if client.transaction.is_some()
            || !client.watched.is_empty()
            || (client.fresh && !self.shared.repeats.is_empty())
        {
            return 0;
        }
        let (lanes, used) = self.lanes(client, commands);
        if lanes.len() < 2 {
            return 0;
        }
        client.fresh = false;
        self.shared.holds.release(client);
        let mut all: Vec<(usize, Reply)> = Vec::with_capacity(used);
        let mut lanes = lanes.into_iter();
        loop {
            let some: Vec<Lane> = lanes.by_ref().take(LANES).collect();
            if some.is_empty() {
                break;
            }
            let (id, door, database, pass) = (client.id, client.door, client.database, &client.pass);
            for (mut lane_client, lane) in
                join_all(some.into_iter().map(|lane| self.lane(id, door, database, pass, lane))).await
            {
                self.shared.holds.release(&mut lane_client);
                client.unseen.append(&mut lane_client.unseen);
                all.extend(lane);
            }
        }
        all.sort_unstable_by_key(|(at, _)| *at);
        replies.extend(all.into_iter().map(|(_, reply)| reply));
        used
    }

    /// The lanes of the commands that these begin with, and how many commands they hold.
    fn lanes(&self, client: &Client, commands: &[Command]) -> (Vec<Lane>, usize) {
        let mut places: HashMap<SessionId, usize> = HashMap::new();
        let mut lanes: Vec<Lane> = Vec::new();
        let mut used = 0;
        for (at, command) in commands.iter().take(COMMANDS).enumerate() {
            let single = command.entry().is_ok_and(|entry| is_of_one_session(entry.op));
            let Some(place) = single.then(|| self.place(client, command.word(1)).ok()).flatten() else {
                break;
            };
            let lane = *places.entry(place.session).or_insert_with(|| {
                lanes.push(Lane::new());
                lanes.len() - 1
            });
            if let Some(lane) = lanes.get_mut(lane) {
                lane.push((at, command.clone()));
            }
            used = at + 1;
        }
        (lanes, used)
    }

    async fn lane(
        &self,
        id: u64,
        door: DoorName,
        database: u32,
        pass: &Pass,
        lane: Lane,
    ) -> (Client, Vec<(usize, Reply)>) {
        let mut client = Client::new(id).by(pass.clone());
        (client.door, client.database, client.fresh) = (door, database, false);
        let (places, commands): (Vec<usize>, Vec<Command>) = lane.into_iter().unzip();
        let replies = self.run(&mut client, &commands).await;
        (client, places.into_iter().zip(replies).collect())
    }
}

/// Whether a command is about the session of its one key, and nothing else.
const fn is_of_one_session(op: Op) -> bool {
    matches!(
        op,
        Op::LPush
            | Op::RPush
            | Op::LRange
            | Op::LLen
            | Op::LIndex
            | Op::Expire
            | Op::PExpire
            | Op::ExpireAt
            | Op::PExpireAt
            | Op::Ttl
            | Op::PTtl
            | Op::Type
    )
}
