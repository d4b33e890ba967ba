//! A TCP proxy that makes faults.
//!
//! It stands between a client and a server, and a test tells it what should go wrong.
//! It knows bytes, not Redis: it works for any protocol in which the client speaks first, also inside TLS.
//! It has a thread and a runtime of its own, so a test that blocks or stops its clock does not stop it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{self, LocalSet};

use crate::link;

/// How long [`FaultProxy::until`] waits before it fails the test.
const UNTIL_LIMIT: Duration = Duration::from_secs(10);

/// What happens to links and bytes. A change holds for every link, from its next bytes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Nothing goes wrong.
    Pass,
    /// A new connection is closed at once. Links that are there go on; [`FaultProxy::cut_all`] ends them.
    Refuse,
    /// Connections are accepted, bytes are swallowed, nothing is answered.
    /// A link that has lost bytes, or was made meanwhile, stays silent for good, also after a change of mode:
    /// what follows lost bytes means nothing.
    Silent,
    /// Requests arrive this much later, replies at once, so a round trip takes this much longer.
    Delay(Duration),
    /// The server gets the request and carries it out, but the client's link is closed when the reply has come.
    ///
    /// When the client sees its link end, everything it had sent up to then has been carried out.
    /// (One exception: with other requests under way on the same link, one that is larger than 64 kB may still
    /// be coming in when the reply of another ends the link.)
    CutBeforeReply {
        /// After so many cuts the mode is [`Mode::Pass`] again.
        times: usize,
        /// Only a request with these bytes is cut; without one, any request.
        marker: Option<Vec<u8>>,
    },
    /// The link breaks at a request, in that way.
    Break {
        /// How.
        how: Break,
        /// After so many the mode is [`Mode::Pass`] again.
        times: usize,
    },
}

/// How a link breaks at a request. Whatever the client had sent before has been carried out when it sees the link
/// end, as with [`Mode::CutBeforeReply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Break {
    /// The link closes; the server never gets these bytes.
    BeforeRequest,
    /// The server carries it out; the client gets the first half of what came as the reply, and the link closes.
    DuringReply,
    /// The client gets the reply, and then the link closes under whatever it has sent meanwhile.
    AfterReply,
    /// The client sees the end of the replies and no reply, while what it sends is still carried out, until it
    /// closes its own end: a link that is open in one direction.
    HalfClose,
    /// The server gets the bytes twice, and the link closes in place of a reply, since nobody could tell the two
    /// replies apart. What fills one packet arrives as the same request twice, anything else as nonsense.
    Twice,
}

/// What went through so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that clients made, refused ones included.
    pub connections: u64,
    /// Links that are open now.
    pub open: u64,
    /// Bytes from clients, swallowed ones included.
    pub bytes_up: u64,
    /// Bytes passed on to clients.
    pub bytes_down: u64,
    /// How often a client spoke after the server, or first: one for each request and its reply, one for a whole
    /// pipeline. On a link with concurrent requests it counts turns of the conversation, not requests.
    pub round_trips: u64,
    /// Links closed in place of a reply, or broken otherwise.
    pub cuts: u64,
}

/// What the proxy and its links share.
#[derive(Debug)]
pub(crate) struct Shared {
    mode: Mutex<Mode>,
    stats: watch::Sender<Stats>,
    cut_all: watch::Sender<()>,
}

impl Shared {
    pub(crate) fn mode(&self) -> Mode {
        self.mode.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        self.stats.send_modify(change);
    }

    /// Takes one of the cuts that are left, if there is one.
    pub(crate) fn take_cut(&self) -> bool {
        let mut mode = self.mode.lock().unwrap();
        let (Mode::CutBeforeReply { times, .. } | Mode::Break { times, .. }) = &mut *mode else {
            return false;
        };
        let Some(left) = times.checked_sub(1) else { return false };
        *times = left;
        if left == 0 {
            *mode = Mode::Pass;
        }
        self.count(|stats| stats.cuts += 1);
        true
    }
}

/// A proxy on a port of its own. It ends, with all its links, when this is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Starts a proxy in front of `upstream`. It passes everything until told otherwise.
    pub fn start(upstream: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port for the proxy");
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Pass),
            stats: watch::Sender::default(),
            cut_all: watch::Sender::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let links = Arc::clone(&shared);
        let thread = thread::Builder::new().name("fault-proxy".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // Links stay on this thread, so their two directions share plain cells.
            LocalSet::new().block_on(&runtime, async {
                tokio::select! {
                    _ = stopped => {}
                    failed = accept(listener, upstream, links) => panic!("the proxy cannot accept: {failed:?}"),
                }
            });
        });
        Self { addr, shared, stop: Some(stop), thread: Some(thread.unwrap()) }
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on, this goes wrong.
    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    /// What goes wrong now. After the last of its cuts, a [`Mode::CutBeforeReply`] or [`Mode::Break`] reads as
    /// [`Mode::Pass`].
    pub fn mode(&self) -> Mode {
        self.shared.mode()
    }

    /// The next `times` replies are lost; see [`Mode::CutBeforeReply`].
    pub fn cut_before_reply(&self, times: usize) {
        assert!(times > 0, "no cut is Mode::Pass");
        self.set(Mode::CutBeforeReply { times, marker: None });
    }

    /// The next `times` replies to requests with these bytes are lost; see [`Mode::CutBeforeReply`].
    pub fn cut_before_reply_to(&self, marker: &[u8], times: usize) {
        assert!(times > 0 && !marker.is_empty(), "a cut needs a marker to look for");
        self.set(Mode::CutBeforeReply { times, marker: Some(marker.to_vec()) });
    }

    /// The next `times` requests break their links so.
    pub fn break_links(&self, how: Break, times: usize) {
        assert!(times > 0, "no break is Mode::Pass");
        self.set(Mode::Break { how, times });
    }

    /// Closes every link that is open. New ones are made as the mode says.
    pub fn cut_all(&self) {
        self.shared.cut_all.send_replace(());
    }

    /// What went through so far.
    pub fn stats(&self) -> Stats {
        *self.shared.stats.borrow()
    }

    /// Waits until the counts are as a test needs them, in place of a sleep.
    ///
    /// # Panics
    ///
    /// After ten seconds.
    pub async fn until(&self, reached: impl FnMut(&Stats) -> bool) -> Stats {
        let mut stats = self.shared.stats.subscribe();
        match tokio::time::timeout(UNTIL_LIMIT, stats.wait_for(reached)).await {
            Ok(stats) => *stats.expect("the proxy holds the sender"),
            Err(_) => panic!("the proxy never got there within {UNTIL_LIMIT:?}: {:?}", self.stats()),
        }
    }
}

impl Drop for FaultProxy {
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

async fn accept(
    listener: std::net::TcpListener,
    upstream: SocketAddr,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        let refuse = shared.mode() == Mode::Refuse;
        shared.count(|stats| {
            stats.connections += 1;
            stats.open += u64::from(!refuse);
        });
        if refuse {
            continue;
        }
        let shared = Arc::clone(&shared);
        let mut cut = shared.cut_all.subscribe();
        task::spawn_local(async move {
            tokio::select! {
                // An error of a link is a link that ended, which is all that a client can see of it.
                _ = link::run(client, upstream, Arc::clone(&shared)) => {}
                _ = cut.changed() => {}
            }
            shared.count(|stats| stats.open -= 1);
        });
    }
}
