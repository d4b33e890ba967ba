//! The scripts: sent by their hash, and whole when the server does not know them (again).

use redis::{Cmd, Pipeline, Value};

use super::link::{Kind, Link};
use crate::store::Result;

/// A script and its hash.
#[derive(Debug)]
pub(super) struct Script {
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

impl Script {
    fn new(source: &str) -> Self {
        let source =
            INCLUDES.iter().fold(source.to_owned(), |source, (mark, text)| source.replace(mark, text));
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
    /// Looks whether the server still has its memory.
    witness: "lua/witness.lua";
}

impl Scripts {
    /// Calls a script; `fill` adds the number of keys, the keys and the arguments.
    pub(super) async fn call(
        &self,
        link: &Link,
        script: &Script,
        kind: Kind,
        fill: impl Fn(&mut Cmd),
    ) -> Result<Value> {
        self.call_with(link, script, kind, fill, &[]).await
    }

    /// Calls a script, and other commands in the same round trip.
    pub(super) async fn call_with(
        &self,
        link: &Link,
        script: &Script,
        kind: Kind,
        fill: impl Fn(&mut Cmd),
        also: &[Cmd],
    ) -> Result<Value> {
        // Room for an exchange, so that a command is not moved while it grows.
        let mut command = Cmd::with_capacity(16, 2048);
        command.arg("EVALSHA").arg(&script.hash);
        fill(&mut command);
        let reply = if also.is_empty() {
            link.send(kind, &command).await?
        } else {
            let mut all = Pipeline::with_capacity(1 + also.len());
            all.add_command(command);
            for command in also {
                all.add_command(command.clone());
            }
            let mut replies = link.send_all(kind, &all).await?.into_iter();
            replies.next().unwrap_or(Value::Nil)
        };
        match &reply {
            Value::ServerError(error) if error.code() == "NOSCRIPT" => {
                // It did nothing, so sending it again does nothing twice.
                let mut command = redis::cmd("EVAL");
                command.arg(&script.source);
                fill(&mut command);
                link.call(kind, &command).await
            }
            _ => link.checked(reply),
        }
    }
}
