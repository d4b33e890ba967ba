//! The Redis-protocol door in this process, on a port of its own.

use std::net::SocketAddr;

use hitherto::ChatMemory;
use hitherto_server::{Keyspace, KeyspaceOptions, RespOptions, run_resp};
use hitherto_testkit::{Client, Reply};
use tokio::sync::oneshot;

/// A door that stops when this is dropped.
pub struct Listening {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listening {
    /// A door to that memory, with the options that it has by itself.
    pub fn to(memory: ChatMemory) -> Self {
        Self::with(memory, KeyspaceOptions::default(), RespOptions::default())
    }

    pub fn with(memory: ChatMemory, keys: KeyspaceOptions, options: RespOptions) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let keyspace = Keyspace::new(memory, keys);
                run_resp(listener, keyspace, options, async { drop(stopped.await) }).await.unwrap();
            });
        });
        Self { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address).unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A failure in there has been printed already.
            let _ = thread.join();
        }
    }
}

/// Sends the words of a line and gives the reply.
pub fn call(client: &mut Client, line: &str) -> Reply {
    client.command(&line.split(' ').collect::<Vec<_>>()).unwrap()
}

/// A message as LangChain.js stores it: `human` or `ai`.
pub fn langchain(kind: &str, text: &str) -> String {
    let calls = if kind == "ai" { r#""tool_calls":[],"invalid_tool_calls":[],"# } else { "" };
    format!(
        r#"{{"type":"{kind}","data":{{"content":"{text}",{calls}"additional_kwargs":{{}},"response_metadata":{{}}}}}}"#
    )
}
