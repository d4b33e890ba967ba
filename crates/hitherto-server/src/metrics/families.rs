//! Every metric that the server shows: each is one entry here, and nowhere else.
//!
//! Invariant: a name once published keeps its meaning and its labels. No label takes what a client sends: all values
//! are fixed by the program, but the tenants', which are those that the settings name.

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows; its samples end in `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Times in buckets, in seconds.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) labels: &'static [&'static str],
    pub(crate) help: &'static str,
}

macro_rules! families {
    ($(#[doc = $help:literal] $name:ident: $kind:ident $labels:expr;)+) => {
        $(
            #[doc = $help]
            pub(crate) const fn $name() -> Family {
                Family { name: stringify!($name), kind: Kind::$kind, labels: &$labels, help: $help.trim_ascii() }
            }
        )+

        /// All of them, in the order in which they are shown.
        pub(crate) const FAMILIES: &[fn() -> Family] = &[$($name),+];
    };
}

families! {
    /// Requests of the HTTP doors and commands of the Redis doors that were answered, errors included.
    hitherto_requests: Counter ["door", "operation"];
    /// Requests and commands that were answered with an error, by the error's code.
    hitherto_request_errors: Counter ["door", "operation", "code"];
    /// Time from a request's head, or a whole command, to its answer; of requests and commands that were answered.
    hitherto_request_duration_seconds: Histogram ["door", "operation"];
    /// Connections that are open now.
    hitherto_connections: Gauge ["door"];
    /// Connections that were accepted.
    hitherto_connections_accepted: Counter ["door"];

    /// Whether the store answered when it was last asked, a second ago at most.
    hitherto_store_up: Gauge [];
    /// Round trips to the store.
    hitherto_store_round_trips: Counter ["kind"];
    /// Time that a round trip to the store took, waiting for a connection included.
    hitherto_store_round_trip_duration_seconds: Histogram ["kind"];
    /// Round trips that failed, by how.
    hitherto_store_errors: Counter ["error"];
    /// Connections to the store that were made: the first, and one after each loss.
    hitherto_store_connects: Counter [];
    /// Attempts to connect to the store that failed.
    hitherto_store_connect_failures: Counter [];

    /// Messages that appends have stored.
    hitherto_messages_appended: Counter [];
    /// Appends that were repeats of an idempotency key: nothing was stored, and the first answer given again.
    hitherto_appends_repeated: Counter [];
    /// Stored elements that could not be read and were passed over, each time that it happened; they stay where they are.
    hitherto_elements_unreadable: Counter [];
    /// Sessions of a tenant under the server's memory key; of the tenants that the settings name.
    hitherto_sessions: Gauge ["tenant"];

    /// Messages that summaries have come to stand for.
    hitherto_messages_folded: Counter [];
    /// Turns that summaries have come to stand for.
    hitherto_turns_folded: Counter [];
    /// Summaries that were committed.
    hitherto_summaries_committed: Counter [];
    /// Turns that have left the window and are in no summary yet, of the sessions that this server is folding or has put off.
    hitherto_summary_lag_turns: Gauge [];
    /// For how long the session that has waited longest for its summary has waited; on any server of the store.
    hitherto_summary_lag_seconds: Gauge [];
    /// Sessions that wait for their summary: on the store's due-list, or put off by this server after a failure.
    hitherto_summary_lag_sessions: Gauge [];
    /// Failures of the summariser, by why.
    hitherto_summariser_failures: Counter ["reason"];
    /// Times that the extractive summariser stood in for the model.
    hitherto_summariser_stand_ins: Counter [];
    /// Tokens that the model was given (in) and has written (out), as it counts them; answers that do not say count nothing.
    hitherto_model_tokens: Counter ["direction"];
    /// Folds that died by a defect.
    hitherto_folds_died: Counter [];

    /// Whether the server would answer 200 to /readyz.
    hitherto_ready: Gauge [];
    /// Whether a background task lives: 0 is a defect, and a restart its cure.
    hitherto_task_up: Gauge ["task"];
    /// Panics anywhere in the process: defects.
    hitherto_panics: Counter [];
    /// Always 1: the version of the server, and which kind of store it has.
    hitherto_build_info: Gauge ["version", "store"];

    /// When the process started, in seconds since 1970.
    process_start_time_seconds: Gauge [];
    /// Time that the process has used a processor.
    process_cpu_seconds: Counter [];
    /// Memory of the process that is in the machine's memory.
    process_resident_memory_bytes: Gauge [];
    /// File descriptors that are open.
    process_open_fds: Gauge [];
    /// How many may be.
    process_max_fds: Gauge [];
}
