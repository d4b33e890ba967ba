//! Who a client is, and what it may do: `AUTH`, `HELLO … AUTH`, and a look before every command.
//!
//! Invariant: a command is carried out as the tenant of what its client showed, and not without what has to be shown;
//! before it has shown it, only `AUTH`, `HELLO`, `QUIT` and `RESET` are answered. Each command is looked at anew, so what
//! is revoked ends on connections that are open, too.

use std::sync::Arc;

use super::command::{Command, SYNTAX};
use super::read::Outcome;
use super::table::{Entry, Op};
use super::{Client, Keyspace, Reply, errors};
use crate::access::{Grant, Need, Pass, Refusal};

/// The user name of clients that have none.
const NO_NAME: &[u8] = b"default";

const WRONG: &str = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_AUTH: &str = "NOAUTH Authentication required.";
const NO_AUTH_HELLO: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
                             <proto> AUTH <user> <pass> option can be used to authenticate the client and select the \
                             RESP protocol version at the same time";

impl Entry {
    /// What it needs of a credential; `None` for what concerns no session.
    fn need(&self) -> Option<Need> {
        match self.op {
            Op::LPop | Op::RPop => Some(Need::ReadWrite),
            Op::Watch => Some(Need::Read),
            _ if self.writes() => Some(Need::Write),
            _ if self.reads() => Some(Need::Read),
            _ => None,
        }
    }
}

impl Keyspace {
    /// The keyspace as this client may see it, if it may carry out such a command; without a command, if it may carry
    /// out anything.
    pub(super) async fn seen_by(&self, client: &Client, entry: Option<&Entry>) -> Result<Self, Reply> {
        if entry.is_some_and(|entry| matches!(entry.op, Op::Auth | Op::Hello | Op::Quit | Op::Reset)) {
            return Ok(self.clone());
        }
        let grant = self.gate.grant(&client.pass).await.map_err(|refusal| or_else(refusal, NO_AUTH))?;
        if let Some(entry) = entry
            && let Some(need) = entry.need()
            && !grant.allows(need)
        {
            return Err(not_allowed(&grant, entry, need));
        }
        Ok(self.of(grant))
    }

    /// Whether a client has shown nothing yet and has to, as far as is known without asking anybody.
    pub(crate) fn is_stranger(&self, client: &Client) -> bool {
        matches!(client.pass, Pass::Nobody) && self.gate.is_closed()
    }

    /// The keyspace of the tenant that a grant is for.
    fn of(&self, grant: Arc<Grant>) -> Self {
        let memory = self.shared.memory.clone();
        let memory = match &grant.tenant {
            Some(tenant) => memory.for_tenant(tenant.clone()),
            None => memory,
        };
        Self { shared: Arc::clone(&self.shared), memory, grant, gate: self.gate.clone() }
    }

    /// `AUTH password`, `AUTH user password`: the password is the token, the user its tenant.
    pub(super) async fn auth(&self, client: &mut Client, command: &Command) -> Outcome {
        let (user, token) = match command.rest(1) {
            [token] => (NO_NAME, token),
            [user, token] => (user.as_ref(), token),
            _ => return Err(Reply::error(SYNTAX)),
        };
        self.enter(client, user, token).await?;
        Ok(Reply::OK)
    }

    /// Lets a client in by a user and a token; who it was before, it stays where that fails.
    pub(super) async fn enter(&self, client: &mut Client, user: &[u8], token: &[u8]) -> Result<(), Reply> {
        // What is no text is no token; it is shown all the same, for there may be nothing to show.
        let token = std::str::from_utf8(token).unwrap_or("?");
        let (pass, grant) = self.gate.admit(Some(token)).await.map_err(|refusal| or_else(refusal, WRONG))?;
        if let Some(tenant) = &grant.tenant
            && user != NO_NAME
            && user != tenant.as_str().as_bytes()
        {
            return Err(Reply::error(WRONG));
        }
        // What it was in the middle of was another's, perhaps.
        self.shared.holds.release(client);
        client.watched.clear();
        client.pass = pass;
        Ok(())
    }

    /// Whether a client may ask for `HELLO` without showing anything.
    pub(super) async fn greets(&self, client: &Client) -> Result<(), Reply> {
        let granted = self.gate.grant(&client.pass).await;
        granted.map(drop).map_err(|refusal| or_else(refusal, NO_AUTH_HELLO))
    }
}

/// What a refusal is to a client: that text, unless nobody can say.
fn or_else(refusal: Refusal, text: &str) -> Reply {
    match refusal {
        Refusal::Store(error) => errors::reply(error.into()),
        Refusal::NoKeys => Reply::error(format!("TRYAGAIN {refusal}")),
        _ => Reply::error(text),
    }
}

fn not_allowed(grant: &Grant, entry: &Entry, need: Need) -> Reply {
    let user = grant.tenant.as_ref().map_or("default", |tenant| tenant.as_str());
    let user: String = user.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let (name, scopes) = (entry.name, need.scopes());
    Reply::error(format!(
        "NOPERM User {user} has no permissions to run the '{name}' command: it needs the scope {scopes}"
    ))
}
