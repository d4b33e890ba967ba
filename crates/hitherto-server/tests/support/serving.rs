//! The server in this process, on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hitherto::{ChatMemory, Limits, Store};
use hitherto_server::{Door, Options, run};
use tokio::sync::oneshot;

/// A server that stops when this is dropped.
pub struct Serving {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Serving {
    /// A server of an embedded file.
    pub fn embedded(path: &Path) -> Self {
        Self::of(ChatMemory::embedded(path).unwrap(), Options::default())
    }

    /// A server of any store.
    pub fn store(store: Arc<dyn Store>, options: Options) -> Self {
        Self::of(ChatMemory::new(store), options)
    }

    /// A server of an embedded file with small limits.
    pub fn limited(path: &Path, options: Options, limits: Limits) -> Self {
        Self::of(ChatMemory::embedded(path).unwrap().with_limits(limits), options)
    }

    /// A server of any memory.
    pub fn of(memory: ChatMemory, options: Options) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                run(listener, Arc::new(Door::new(memory, options)), async { drop(stopped.await) })
                    .await
                    .unwrap();
            });
        });
        Self { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A failure in there has been printed already.
            let _ = thread.join();
        }
    }
}
