//! A fake model: a server that speaks the real protocols over a real socket, and says what a test tells it to.
//!
//! It speaks OpenAI's chat completions (`/v1/chat/completions`), Azure's form of them, and Anthropic's messages
//! (`/v1/messages`), and refuses what the real ones refuse, before any script is asked.
//! It knows nothing of the library: what it understands is what a model would understand.
//! It has a thread and a runtime of its own, so a test that blocks or stops its clock does not stop it.
//!
//! ```
//! use hitherto_testkit::{Behaviour, FakeModel};
//!
//! let fake = FakeModel::start();
//! fake.always(Behaviour::says("Zoë lives in Łódź."));
//! fake.next(Behaviour::status(429).with_header("retry-after", "7"));
//! // … the first request gets the error, all others the text.
//! assert!(fake.openai().starts_with("http://127.0.0.1:"));
//! ```

mod behaviour;
mod protocol;
mod request;
mod serve;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_rustls::TlsAcceptor;

use crate::port::PortLease;
use crate::tls::Certificates;

pub use behaviour::Behaviour;
pub use request::ModelRequest;

/// How long a test waits for something to happen before it fails.
const UNTIL_LIMIT: Duration = Duration::from_secs(20);

/// What decides a request that no [`FakeModel::next`] was meant for.
type Script = Arc<dyn Fn(&ModelRequest) -> Behaviour + Send + Sync>;

/// A server on a port of its own. It ends, with all its connections, when this is dropped.
pub struct FakeModel {
    port: PortLease,
    scheme: &'static str,
    shared: Arc<Shared>,
    switch: mpsc::UnboundedSender<(bool, oneshot::Sender<()>)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the server and its connections share.
pub(crate) struct Shared {
    key: String,
    queue: Mutex<VecDeque<Behaviour>>,
    script: Mutex<Script>,
    requests: Mutex<Vec<ModelRequest>>,
    counts: watch::Sender<Counts>,
    held: watch::Sender<bool>,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that came in whole, refused ones included.
    pub requests: usize,
    /// Requests that were refused because the real API would refuse them.
    pub refused: usize,
    /// Connections that clients made.
    pub connections: usize,
    /// Connections that are open now.
    pub open: usize,
    /// Bytes of floods that were sent, what the system still holds of them included.
    pub flooded: usize,
}

/// As long as this lives, no request is answered. Requests come in and are counted.
#[derive(Debug)]
pub struct Hold {
    held: watch::Sender<bool>,
}

impl FakeModel {
    /// Starts a model that repeats what it was asked; see [`Behaviour::echo`].
    pub fn start() -> Self {
        Self::serve(None)
    }

    /// The same behind TLS, with the server's certificate of that authority.
    pub fn start_tls(certificates: &Certificates) -> Self {
        Self::serve(Some(serve::acceptor(certificates)))
    }

    fn serve(tls: Option<TlsAcceptor>) -> Self {
        let port = PortLease::take();
        let shared = Arc::new(Shared {
            key: format!("sk-fake-{}", uuid::Uuid::new_v4().simple()),
            queue: Mutex::default(),
            script: Mutex::new(Arc::new(|_| Behaviour::echo())),
            requests: Mutex::default(),
            counts: watch::Sender::default(),
            held: watch::Sender::new(false),
        });
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number));
        // Bound here, so that a client may connect as soon as this returns.
        let listener = bind(addr);
        let (switch, switched) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = serve::Server { addr, tls, shared: Arc::clone(&shared) };
        let thread = thread::Builder::new().name("fake-model".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = server.run(listener, switched) => {}
                }
            });
        });
        Self { port, scheme, shared, switch, stop: Some(stop), thread: Some(thread.unwrap()) }
    }

    /// The key that it takes, of a form that can be searched for.
    pub fn key(&self) -> &str {
        &self.shared.key
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.number))
    }

    /// Its address without a path.
    pub fn root(&self) -> String {
        format!("{}://{}", self.scheme, self.addr())
    }

    /// The base address of OpenAI's protocol.
    pub fn openai(&self) -> String {
        format!("{}/v1", self.root())
    }

    /// The address of a deployment in Azure's form.
    pub fn azure(&self) -> String {
        format!("{}/openai/deployments/summaries/chat/completions?api-version=2024-10-21", self.root())
    }

    /// The base address of Anthropic's protocol.
    pub fn anthropic(&self) -> String {
        self.root()
    }

    /// What every request gets from now on that no [`next`](Self::next) is meant for.
    pub fn always(&self, behaviour: Behaviour) {
        self.decide(move |_| behaviour.clone());
    }

    /// The same, decided for each request.
    pub fn decide(&self, script: impl Fn(&ModelRequest) -> Behaviour + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// What the next request gets that is not refused; several are kept in order.
    pub fn next(&self, behaviour: Behaviour) {
        self.shared.queue.lock().unwrap().push_back(behaviour);
    }

    /// Holds every answer back until what this returns is dropped. What to answer is decided then.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.shared.held.send_replace(true);
        Hold { held: self.shared.held.clone() }
    }

    /// Stops listening: who connects is refused by the system. Open connections end.
    pub async fn down(&self) {
        self.listen(false).await;
    }

    /// Listens again, on the same port.
    pub async fn up(&self) {
        self.listen(true).await;
    }

    async fn listen(&self, up: bool) {
        let (done, finished) = oneshot::channel();
        self.switch.send((up, done)).expect("the server runs");
        finished.await.expect("the server answers");
    }

    /// All requests so far, oldest first, refused ones included.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts are as a test needs them, in place of a sleep.
    ///
    /// # Panics
    ///
    /// After twenty seconds.
    pub async fn until(&self, reached: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.shared.counts.subscribe();
        match tokio::time::timeout(UNTIL_LIMIT, counts.wait_for(reached)).await {
            Ok(counts) => *counts.expect("the model holds the sender"),
            Err(_) => panic!("the model never got there within {UNTIL_LIMIT:?}: {:?}", self.counts()),
        }
    }

    /// Waits until so many requests have come in since the start.
    pub async fn until_requests(&self, requests: usize) {
        self.until(|counts| counts.requests >= requests).await;
    }
}

impl std::fmt::Debug for FakeModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeModel").field("root", &self.root()).field("counts", &self.counts()).finish()
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        // Neither is unwrapped: a second panic while a test already fails would hide the first.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.send_replace(false);
    }
}

impl Shared {
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    /// Keeps the request, and says what it gets once nothing is held back.
    async fn decide(&self, request: &ModelRequest) -> Behaviour {
        self.requests.lock().unwrap().push(request.clone());
        let refused = protocol::refusal(request, &self.key);
        self.count(|counts| {
            counts.requests += 1;
            counts.refused += usize::from(refused.is_some());
        });
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.expect("the model holds the sender");
        if let Some(refused) = refused {
            return refused;
        }
        let next = self.queue.lock().unwrap().pop_front();
        let script = Arc::clone(&self.script.lock().unwrap());
        next.unwrap_or_else(|| script(request))
    }
}

fn bind(addr: SocketAddr) -> TcpListener {
    let listener = TcpListener::bind(addr).expect("the port of the fake model");
    listener.set_nonblocking(true).unwrap();
    listener
}
