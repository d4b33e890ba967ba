//! A server with tokens of two tenants, and what a tenant has, looked at from inside.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use hitherto_testkit::{Client, Reply};
use serde_json::Value;

use crate::process::{Process, hitherto};
use crate::support::{Answer, call};

/// A server on an embedded file, and tokens.
pub struct Served {
    pub process: Process,
    pub folder: tempfile::TempDir,
}

/// A token and its id.
#[derive(Debug, Clone)]
pub struct Made {
    pub token: String,
    pub id: String,
}

/// Makes a token, as a program does.
pub fn make(folder: &Path, tenant: &str, scopes: &str) -> Made {
    let arguments = ["token", "create", "--tenant", tenant, "--scope", scopes, "--json"];
    let made: Value = serde_json::from_slice(&run(folder, &arguments).stdout).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Made { token: text("token"), id: text("id") }
}

/// Runs a command that has to succeed.
#[track_caller]
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    let output = hitherto(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

impl Served {
    /// A server that lets nobody in without a token.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(folder.path(), &["--require-tokens"]);
        Self { process, folder }
    }

    pub fn token(&self, tenant: &str, scopes: &str) -> Tenant {
        let made = make(self.folder.path(), tenant, scopes);
        Tenant { http: self.process.address, redis: self.process.redis, name: tenant.to_owned(), made }
    }
}

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub http: SocketAddr,
    pub redis: SocketAddr,
    pub name: String,
    pub made: Made,
}

impl Tenant {
    pub fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let header = format!("authorization: Bearer {}", self.made.token);
        // Answers name their request, and those that are compared are to be alike.
        let headers = [header.as_str(), "content-type: application/json", "x-request-id: same"];
        call(self.http, method, path, &headers, body.as_bytes())
    }

    pub fn say(&self, session: &str, text: &str) {
        let body = serde_json::json!({"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}]});
        self.call(
            "POST",
            &format!("/v1/sessions/{}/messages", crate::support::encoded(session)),
            &body.to_string(),
        )
        .expect(201);
    }

    pub fn client(&self) -> Client {
        let mut client = Client::connect(self.redis).unwrap();
        assert_eq!(
            client.command(&["AUTH", &self.name, &self.made.token]).unwrap(),
            Reply::Status("OK".to_owned())
        );
        client
    }

    /// All that the tenant has: its list, and of each session its messages and what is known of it.
    pub fn everything(&self) -> Vec<String> {
        let list = self.call("GET", "/v1/sessions?limit=1000", "").expect(200).json();
        let mut all = Vec::new();
        for session in list["sessions"].as_array().unwrap() {
            let id = crate::support::encoded(session["session"].as_str().unwrap());
            let known = self.call("GET", &format!("/v1/sessions/{id}"), "").expect(200).body;
            let said = self
                .call("GET", &format!("/v1/sessions/{id}/messages?after=0&limit=1000"), "")
                .expect(200)
                .body;
            let summary = self.call("GET", &format!("/v1/sessions/{id}/summary"), "").body;
            all.push(format!("{known} {said} {summary}"));
        }
        all.sort();
        all
    }
}
