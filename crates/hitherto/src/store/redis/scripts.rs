//! The scripts: sent by their hash, and whole when the server does not know them (again).
//!
//! In a cluster, a script may touch only keys that it was sent with: while a slot moves, a key may be on one node or
//! the other, and the nodes compare what they have with what was sent. The hashes of idempotency keys are sent along
//! only where they are of use, since a key that is nowhere looks like one that has not arrived yet. So each script
//! has a second form, which says so instead of touching keys that it was not sent with; it is sent again with them.

use redis::{Cmd, Value};

use super::keys::Keys;
use super::link::Kind;
use super::meta::Reply;
use super::route::Route;
use crate::store::Result;

/// A script, in the form for one server and in that for a cluster.
#[derive(Debug)]
pub(super) struct Script {
    plain: Text,
    in_cluster: Text,
    /// Whether replicas have to have what it writes, where that is asked for.
    is_acknowledged: bool,
}

/// The text of a script, and its hash.
#[derive(Debug)]
struct Text {
    source: String,
    hash: String,
}

/// What scripts have in common. It is put in their place rather than called: making a function costs a script
/// more than most of what these do.
const INCLUDES: [(&str, &str); 5] = [
    ("-- include: state\n", include_str!("lua/state.inc.lua")),
    ("-- include: save\n", include_str!("lua/save.inc.lua")),
    ("-- include: clock\n", include_str!("lua/clock.inc.lua")),
    ("-- include: trim\n", include_str!("lua/trim.inc.lua")),
    // After `trim`, which includes it.
    ("-- include: records\n", include_str!("lua/records.inc.lua")),
];

/// What stands in a script that touches the hashes of idempotency keys, before its first write.
const DECLARED: &str = "-- include: declared\n";
const UNDECLARED: &str = include_str!("lua/declared.inc.lua");

/// What a script says of itself whose writes clients ask for.
const ACKNOWLEDGED: &str = "-- Replicas acknowledge it.\n";

impl Script {
    fn new(source: &str) -> Self {
        let whole =
            INCLUDES.iter().fold(source.to_owned(), |source, (mark, text)| source.replace(mark, text));
        Self {
            plain: Text::new(whole.replace(DECLARED, "")),
            in_cluster: Text::new(whole.replace(DECLARED, UNDECLARED)),
            is_acknowledged: source.contains(ACKNOWLEDGED),
        }
    }
}

impl Text {
    fn new(source: String) -> Self {
        let hash = redis::Script::new(&source).get_hash().to_owned();
        Self { source, hash }
    }
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident: $file:literal;)+) => {
        /// All of them, one file each in `lua/`.
        #[derive(Debug)]
        pub(super) struct Scripts {
            $($(#[$doc])* pub(super) $name: Script,)+
        }

        impl Default for Scripts {
            fn default() -> Self {
                Self { $($name: Script::new(include_str!($file)),)+ }
            }
        }
    };
}

scripts! {
    /// Appends records.
    append: "lua/append.lua";
    /// Puts records in the place of others.
    replace: "lua/replace.lua";
    /// Changes settings.
    configure: "lua/configure.lua";
    /// Restarts the clock after a read.
    restart: "lua/restart.lua";
    /// Copies a session.
    fork: "lua/fork.lua";
    /// Removes a session.
    clear: "lua/clear.lua";
    /// Takes the lease for folding a session.
    begin: "lua/begin.lua";
    /// Puts a summary in the place of another.
    commit: "lua/commit.lua";
    /// Gives the lease back.
    finish: "lua/finish.lua";
    /// Claims sessions of the due-list.
    claim: "lua/claim.lua";
    /// Ends a claim.
    settle: "lua/settle.lua";
    /// Takes ended sessions off the list.
    unlist: "lua/unlist.lua";
    /// Tells a user's list of a session.
    tell: "lua/tell.lua";
    /// Ends that.
    told: "lua/told.lua";
    /// Removes a session of a user.
    erase: "lua/erase.lua";
    /// Ends a credential.
    revoke: "lua/revoke.lua";
    /// Looks whether the server still has its memory.
    witness: "lua/witness.lua";
    /// Adds to what is being copied to another node.
    stage: "lua/stage.lua";
    /// Makes a session of what was copied.
    adopt: "lua/adopt.lua";
}

impl Scripts {
    /// Calls a script; `fill` adds the number of keys, the keys and the arguments.
    pub(super) async fn call(
        &self,
        route: &Route,
        script: &Script,
        kind: Kind,
        fill: impl Fn(&mut Cmd),
    ) -> Result<Value> {
        Ok(self.call_with(route, script, kind, fill, &[]).await?.0)
    }

    /// Calls a script about a session; `fill` adds the arguments behind its keys. `once` says that it is about an
    /// idempotency key. Gives the answer, and whether the other commands, which go along, were done.
    pub(super) async fn call_session(
        &self,
        route: &Route,
        script: &Script,
        kind: Kind,
        (keys, once): (&Keys, bool),
        fill: impl Fn(&mut Cmd),
        also: &[Cmd],
    ) -> Result<(Value, bool)> {
        let mut with_once = once && route.is_cluster().await?;
        loop {
            let fill = |command: &mut Cmd| {
                command.arg(if with_once { 4 } else { 2 }).arg(keys.log()).arg(keys.meta());
                if with_once {
                    command.arg(keys.once(0)).arg(keys.once(1));
                }
                fill(command);
            };
            let (reply, told) = self.call_with(route, script, kind, fill, also).await?;
            match reply {
                Value::Array(reply) if !with_once && Reply(reply.clone()).word() == "keys" => {
                    with_once = true
                }
                reply => return Ok((reply, told)),
            }
        }
    }

    /// Calls a script, and other commands that go along.
    pub(super) async fn call_with(
        &self,
        route: &Route,
        script: &Script,
        kind: Kind,
        fill: impl Fn(&mut Cmd),
        also: &[Cmd],
    ) -> Result<(Value, bool)> {
        let text = if route.is_cluster().await? { &script.in_cluster } else { &script.plain };
        // Room for an exchange, so that a command is not moved while it grows.
        let mut command = Cmd::with_capacity(16, 2048);
        command.arg("EVALSHA").arg(&text.hash);
        fill(&mut command);
        let (reply, told) = route.send_with(kind, &command, also, script.is_acknowledged).await?;
        match &reply {
            Value::ServerError(error) if error.code() == "NOSCRIPT" => {
                // It did nothing, so sending it again does nothing twice.
                let mut command = redis::cmd("EVAL");
                command.arg(&text.source);
                fill(&mut command);
                let again = Box::pin(route.send_with(kind, &command, &[], script.is_acknowledged));
                let (reply, _) = again.await?;
                Ok((route.checked(reply)?, told))
            }
            _ => Ok((route.checked(reply)?, told)),
        }
    }
}
