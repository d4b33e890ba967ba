//! A cluster of real servers: what can happen to it while clients go on.
//!
//! Invariant: every method that changes it returns when every node that lives sees the change, so that a test waits
//! for nothing itself. A node keeps its number for good, also after it has been killed or removed.

use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Reply;
use crate::port::PortLease;
use crate::redis_server::RedisServer;
use crate::redis_settings::RedisSettings;
use crate::servers::ServerKind;
use crate::slots::{SLOTS, SlotMove, ok, shares, slot_of};

/// How long the cluster may take to agree, a failover included.
const AGREE_LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked at: nodes tell nobody when they have agreed.
const AGREE_POLL: Duration = Duration::from_millis(20);

/// When a node has given up to take over.
const FAILOVER_GIVEN_UP: Duration = Duration::from_secs(7);
/// How many slots are on their way at once.
const SLOTS_AT_ONCE: usize = 200;

/// How to start a [`Cluster`].
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until start()"]
pub struct ClusterSettings {
    server: RedisSettings,
    primaries: u16,
    replicas: u16,
    node_timeout: Duration,
}

/// Servers that share the slots. They die when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    settings: ClusterSettings,
    nodes: RwLock<Vec<Node>>,
}

#[derive(Debug)]
struct Node {
    server: Arc<RedisServer>,
    bus: PortLease,
    /// Its name in the cluster.
    id: String,
    /// Whether it has been taken out of the cluster for good.
    removed: bool,
}

/// A line of `CLUSTER NODES`.
struct Line {
    id: String,
    flags: Vec<String>,
    /// Of a replica: its primary's name.
    primary: String,
    /// Of which claim to its slots this knows; the later one counts.
    epoch: u64,
    connected: bool,
    /// The slots, as ranges from one to another, both included.
    slots: Vec<(u16, u16)>,
}

impl ClusterSettings {
    /// So many primaries with so many replicas each, all of them such servers.
    pub fn new(server: RedisSettings, primaries: u16, replicas: u16) -> Self {
        Self { server, primaries, replicas, node_timeout: Duration::from_secs(2) }
    }

    /// After how long a silent node counts as failed. Default 2 s.
    pub fn node_timeout(mut self, timeout: Duration) -> Self {
        self.node_timeout = timeout;
        self
    }

    /// Starts it and waits until every node says that all is well.
    pub fn start(self) -> Cluster {
        Cluster::start_with(self)
    }

    fn start_node(&self) -> Node {
        let bus = PortLease::take();
        let (user, password) = self.server.credentials();
        let mut settings = self
            .server
            .clone()
            .directive("cluster-enabled", "yes")
            .directive("cluster-port", &bus.number.to_string())
            .directive("cluster-node-timeout", &self.node_timeout.as_millis().to_string())
            // A replica stands for election however long it has been cut off, and stays with its primary.
            .directive("cluster-replica-validity-factor", "0")
            .directive("cluster-allow-replica-migration", "no")
            .directive("repl-diskless-sync-delay", "0");
        if let Some(user) = user {
            settings = settings.directive("masteruser", user);
        }
        if let Some(password) = password {
            settings = settings.directive("masterauth", password);
        }
        let server = Arc::new(settings.start());
        let id = server.command(&["CLUSTER", "MYID"]).text();
        Node { server, bus, id, removed: false }
    }
}

impl Cluster {
    /// So many bare primaries with so many replicas each.
    pub fn start(kind: ServerKind, primaries: u16, replicas: u16) -> Self {
        ClusterSettings::new(RedisSettings::new(kind), primaries, replicas).start()
    }

    fn start_with(settings: ClusterSettings) -> Self {
        let count = settings.primaries * (1 + settings.replicas);
        let cluster = Self { nodes: RwLock::default(), settings };
        for number in 0..count {
            let node = cluster.settings.start_node();
            ok(&node.server, &["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            cluster.nodes.write().unwrap().push(node);
        }
        for (primary, share) in shares(cluster.settings.primaries).into_iter().enumerate() {
            let (first, last) = (share.start.to_string(), (share.end - 1).to_string());
            ok(&cluster.node(primary), &["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        }
        for number in 1..usize::from(count) {
            cluster.meet(number);
        }
        cluster.await_all("they know each other", || cluster.all_know_all());
        let primaries = usize::from(cluster.settings.primaries);
        for replica in primaries..usize::from(count) {
            cluster.replicate(replica, replica % primaries);
        }
        cluster.await_ok();
        cluster
    }

    /// `redis-cluster://…` with all nodes that have not been removed, and the credentials.
    pub fn url(&self) -> String {
        let nodes = self.nodes.read().unwrap();
        let live: Vec<_> = nodes.iter().filter(|node| !node.removed).collect();
        let hosts: Vec<_> = live.iter().map(|node| node.server.addr().to_string()).collect();
        let credentials = self.settings.server.credentials.in_url();
        format!("redis-cluster://{credentials}{}", hosts.join(","))
    }

    /// `rediss-cluster://…`, where they were started with TLS.
    pub fn tls_url(&self) -> String {
        let nodes = self.nodes.read().unwrap();
        let hosts: Vec<_> = nodes.iter().map(|node| node.server.tls_addr().to_string()).collect();
        format!("rediss-cluster://{}{}", self.settings.server.credentials.in_url(), hosts.join(","))
    }

    /// The node of that number: first the primaries, then the replicas, then what was added.
    pub fn node(&self, number: usize) -> Arc<RedisServer> {
        Arc::clone(&self.nodes.read().unwrap()[number].server)
    }

    /// How many nodes it has ever had.
    pub fn size(&self) -> usize {
        self.nodes.read().unwrap().len()
    }

    /// The name of a node in the cluster.
    pub(crate) fn id_of(&self, server: &RedisServer) -> String {
        let nodes = self.nodes.read().unwrap();
        nodes
            .iter()
            .find(|node| node.server.port() == server.port())
            .expect("a node of this cluster")
            .id
            .clone()
    }

    /// The primaries that live, in the order of their numbers.
    pub fn primaries(&self) -> Vec<Arc<RedisServer>> {
        let lines = self.seen();
        let is_primary =
            |id: &str| lines.iter().any(|line| line.id == id && line.has("master") && !line.has("fail"));
        let nodes = self.nodes.read().unwrap();
        nodes
            .iter()
            .filter(|node| node.lives() && is_primary(&node.id))
            .map(|node| Arc::clone(&node.server))
            .collect()
    }

    /// The number of the node that answers for a key.
    pub fn primary_of(&self, key: &str) -> usize {
        self.primary_of_slot(slot_of(key))
    }

    /// The number of the node that has a slot.
    pub fn primary_of_slot(&self, slot: u16) -> usize {
        let lines = self.seen();
        let has = |line: &&Line| {
            !line.has("fail") && line.slots.iter().any(|(from, to)| (*from..=*to).contains(&slot))
        };
        let id = &lines.iter().find(has).unwrap_or_else(|| panic!("nobody has slot {slot}")).id;
        self.nodes.read().unwrap().iter().position(|node| &node.id == id).expect("a node of this cluster")
    }

    /// Kills a node like a power cut. Returns at once: see [`await_ok`](Self::await_ok).
    pub fn kill(&self, number: usize) {
        self.node(number).kill();
    }

    /// Starts a killed node again, and waits until it is part of the cluster.
    pub fn restart(&self, number: usize) {
        self.node(number).restart();
        self.await_ok();
    }

    /// Lets a replica take the place of its primary without losing anything, and waits until all agree.
    pub fn fail_over(&self, replica: usize) {
        let server = self.node(replica);
        let mut asked: Option<Instant> = None;
        self.await_all("a replica has taken over", || {
            // A node gives up after five seconds if it could not catch up with its primary.
            if asked.is_none_or(|asked| asked.elapsed() > FAILOVER_GIVEN_UP) {
                // One that has taken over meanwhile refuses.
                let _ = server.try_command(&["CLUSTER", "FAILOVER"]);
                asked = Some(Instant::now());
            }
            self.nodes_that_live().iter().all(|node| {
                lines_of(node).is_some_and(|lines| {
                    let id = self.id_of(&server);
                    lines.iter().any(|line| line.id == id && line.has("master") && !line.slots.is_empty())
                })
            })
        });
        self.await_ok();
    }

    /// Begins to move a slot to a node; its keys stay until they are moved.
    pub fn begin_move(&self, slot: u16, to: usize) -> SlotMove<'_> {
        let from = self.node(self.primary_of_slot(slot));
        SlotMove::begin(self, &[slot], from, self.node(to))
    }

    /// Moves slots with their keys from one node to another, some at a time.
    pub fn move_slots(&self, slots: &[u16], from: usize, to: usize) {
        for some in slots.chunks(SLOTS_AT_ONCE) {
            SlotMove::begin(self, some, self.node(from), self.node(to)).finish();
        }
        self.await_ok();
    }

    /// The slots of a node.
    pub fn slots_of(&self, number: usize) -> Vec<u16> {
        let (id, lines) = (self.id_of(&self.node(number)), self.seen());
        let mine = lines.iter().filter(|line| line.id == id).flat_map(|line| &line.slots);
        mine.flat_map(|(from, to)| *from..=*to).collect()
    }

    /// Adds an empty primary, and gives its number.
    pub fn add_node(&self) -> usize {
        let node = self.settings.start_node();
        let number = {
            let mut nodes = self.nodes.write().unwrap();
            nodes.push(node);
            nodes.len() - 1
        };
        self.meet(number);
        self.await_all("the new node is known", || self.all_know_all());
        self.await_ok();
        number
    }

    /// Moves the slots of a primary to the others, and takes it out of the cluster. Its replicas go on as
    /// replicas of another primary.
    pub fn remove_node(&self, number: usize) {
        let (server, id) = (self.node(number), self.id_of(&self.node(number)));
        let others: Vec<_> =
            self.primaries().into_iter().filter(|other| other.port() != server.port()).collect();
        let numbers: Vec<_> = others.iter().map(|other| self.number_of(other)).collect();
        let slots = self.slots_of(number);
        for (some, to) in slots.chunks(slots.len().div_ceil(numbers.len()).max(1)).zip(&numbers) {
            self.move_slots(some, number, *to);
        }
        for replica in self.replicas_of(number) {
            self.replicate(replica, numbers[0]);
        }
        self.nodes.write().unwrap()[number].removed = true;
        for other in self.nodes_that_live() {
            ok(&other, &["CLUSTER", "FORGET", &id]);
        }
        server.kill();
        self.await_ok();
    }

    /// The numbers of the replicas of a node that live.
    pub fn replicas_of(&self, number: usize) -> Vec<usize> {
        let id = self.id_of(&self.node(number));
        let Reply::Array(lines) = self.node(number).command(&["CLUSTER", "REPLICAS", &id]) else {
            panic!("a node that has no list of replicas");
        };
        let ids: Vec<_> = lines.iter().map(|line| Line::parse(&line.text()).id).collect();
        let nodes = self.nodes.read().unwrap();
        (0..nodes.len()).filter(|at| nodes[*at].lives() && ids.contains(&nodes[*at].id)).collect()
    }

    /// Waits until every node that lives says that all slots are served, all agree who serves them, and every replica
    /// is in step with its primary.
    pub fn await_ok(&self) {
        self.await_all("all is well", || {
            let nodes = self.nodes_that_live();
            let lives =
                |id: &str| self.nodes.read().unwrap().iter().any(|node| node.id == id && node.lives());
            let mut views = Vec::new();
            for node in &nodes {
                let (Some(info), Some(lines)) = (info_of(node, &["CLUSTER", "INFO"]), lines_of(node)) else {
                    return false;
                };
                let replicating = info_of(node, &["INFO", "replication"]);
                let in_step = replicating.is_some_and(|info| is_in_step(&info));
                if !info.contains("cluster_state:ok") || !in_step {
                    return false;
                }
                // Who lives, whose replica it is, and what it serves, by which claim: whoever does not know the newest may
                // yet believe an older one that is on its way.
                let mut view: Vec<_> = lines
                    .into_iter()
                    .filter(|line| lives(&line.id))
                    .map(|line| (line.id, line.primary, line.epoch, line.slots))
                    .collect();
                view.sort();
                views.push(view);
            }
            let slots = views[0].iter().flat_map(|(.., slots)| slots);
            let served: usize = slots.map(|(from, to)| usize::from(to - from) + 1).sum();
            served == usize::from(SLOTS)
                && views[0].len() == nodes.len()
                && views.iter().all(|view| *view == views[0])
        });
    }

    fn number_of(&self, server: &RedisServer) -> usize {
        self.nodes.read().unwrap().iter().position(|node| node.server.port() == server.port()).unwrap()
    }

    fn nodes_that_live(&self) -> Vec<Arc<RedisServer>> {
        let nodes = self.nodes.read().unwrap();
        nodes.iter().filter(|node| node.lives()).map(|node| Arc::clone(&node.server)).collect()
    }

    /// Introduces a node to the first that lives besides.
    fn meet(&self, number: usize) {
        let server = self.node(number);
        let nodes = self.nodes.read().unwrap();
        let known = nodes.iter().find(|node| node.lives() && node.server.port() != server.port());
        let known = known.expect("another node that lives");
        let (port, bus) = (known.server.port().to_string(), known.bus.number.to_string());
        ok(&server, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }

    /// Makes a node a replica of another. It can be one as soon as it knows the other.
    fn replicate(&self, number: usize, primary: usize) {
        let id = self.id_of(&self.node(primary));
        ok(&self.node(number), &["CLUSTER", "REPLICATE", &id]);
    }

    fn all_know_all(&self) -> bool {
        let nodes = self.nodes_that_live();
        nodes.iter().all(|node| {
            lines_of(node).is_some_and(|lines| {
                lines.iter().filter(|line| line.connected && !line.has("handshake")).count() >= nodes.len()
            })
        })
    }

    /// The cluster as a node that lives sees it.
    fn seen(&self) -> Vec<Line> {
        self.nodes_that_live().iter().find_map(|node| lines_of(node)).expect("a node that lives")
    }

    fn await_all(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + AGREE_LIMIT;
        while !is_so() {
            if Instant::now() > deadline {
                let nodes = self.nodes_that_live();
                let seen: Vec<_> = nodes.iter().map(|node| info_of(node, &["CLUSTER", "NODES"])).collect();
                panic!("not within {AGREE_LIMIT:?}: {what}\n{seen:#?}");
            }
            thread::sleep(AGREE_POLL);
        }
    }
}

impl Node {
    fn lives(&self) -> bool {
        !self.removed && self.server.is_running()
    }
}

impl Line {
    fn parse(text: &str) -> Self {
        let words: Vec<_> = text.split_whitespace().collect();
        let slots = words[8.min(words.len())..]
            .iter()
            // What stands in brackets is on its way.
            .filter(|word| !word.starts_with('['))
            .map(|word| {
                let (from, to) = word.split_once('-').unwrap_or((word, word));
                (from.parse().unwrap(), to.parse().unwrap())
            })
            .collect();
        Self {
            id: words[0].to_owned(),
            flags: words[2].split(',').map(str::to_owned).collect(),
            primary: words[3].to_owned(),
            epoch: words[6].parse().unwrap(),
            connected: words[7] == "connected",
            slots,
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

/// Whether a replica follows its primary, or a primary has heard from all its replicas: only those count for `WAIT`.
pub(crate) fn is_in_step(replication: &str) -> bool {
    let mut replicas =
        replication.lines().filter(|line| line.starts_with("slave") && line.contains("state="));
    (!replication.contains("role:slave") || replication.contains("master_link_status:up"))
        && replicas.all(|line| line.contains("state=online"))
}

/// What a node sees; `None` if it does not answer, as one that is being killed does.
fn lines_of(node: &RedisServer) -> Option<Vec<Line>> {
    Some(info_of(node, &["CLUSTER", "NODES"])?.lines().map(Line::parse).collect())
}

fn info_of(node: &RedisServer, words: &[&str]) -> Option<String> {
    match node.try_command(words) {
        Ok(Reply::Bulk(text)) => String::from_utf8(text).ok(),
        _ => None,
    }
}
