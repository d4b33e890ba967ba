//! Servers that are sick: each says what it has, nothing is stored in half, and all is well again afterwards.

use std::time::{Duration, Instant};

use hitherto::{ChatMemory, Error, Outcome, StoreError};
use hitherto_testkit::{RedisServer, RedisSettings, Reply, ServerKind, available};

use super::writer::{append, append_once, beside, log, memory, options, session, texts};

fn store_error(error: Error) -> StoreError {
    match error {
        Error::Store(error) => {
            assert_eq!(error.outcome(), Outcome::NotStored, "{error:?}");
            error
        }
        other => panic!("{other:?}"),
    }
}

/// What the list holds, and what is said of it, are the same: nothing was done by half.
async fn is_whole(server: &RedisServer, memory: &ChatMemory, name: &str) {
    let length = server.command(&["LLEN", &log(name)]).integer();
    let Reply::Array(records) = server.command(&["LRANGE", &log(name), "0", "-1"]) else { panic!("no list") };
    let bytes: usize = records
        .iter()
        .map(|record| match record {
            Reply::Bulk(bytes) => bytes.len(),
            other => panic!("{other:?}"),
        })
        .sum();
    match memory.describe(&session(name)).await.unwrap() {
        None => assert_eq!(length, 0, "records without a session"),
        Some(known) => {
            assert_eq!(
                (known.last_seq, known.bytes),
                (u64::try_from(length).unwrap(), bytes as u64),
                "{known:?}"
            );
        }
    }
}

/// Appends of all sizes at the very edge of the memory: each is stored whole or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_full_says_so_and_stores_nothing_in_half() {
    for kind in available() {
        let server = RedisSettings::new(kind).directive("maxmemory-policy", "noeviction").start();
        let memory = memory(options(&server.url()));
        append(&memory, "s", "0").await.unwrap();
        let info = server.command(&["INFO", "memory"]).text();
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        let limit = used.trim().parse::<u64>().unwrap() + 600_000;
        server.command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
        let (mut stored, mut refused) = (0, 0);
        for number in 0..600_usize {
            let text = "x".repeat(number * 7919 % 12_000);
            let name = ["s", "t", "u"][number % 3];
            let appended = if number % 2 == 0 {
                append(&memory, name, &text).await.map(drop)
            } else {
                append_once(&memory, name, &format!("{number}{text}").chars().take(200).collect::<String>())
                    .await
                    .map(drop)
            };
            match appended {
                Ok(()) => stored += 1,
                Err(error) => {
                    let error = store_error(error);
                    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
                    refused += 1;
                    is_whole(&server, &memory, name).await;
                }
            }
        }
        assert!(stored > 20 && refused > 20, "{}: {stored} stored, {refused} refused", kind.name());
        // Reading goes on, and so does making room.
        assert!(!texts(&memory, "s").await.is_empty());
        for name in ["t", "u"] {
            memory.clear(&session(name)).await.unwrap();
        }
        append(&memory, "s", "again").await.unwrap();
        is_whole(&server, &memory, "s").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_no_writes_until_it_is_a_primary() {
    let primary = RedisServer::start(ServerKind::Redis7);
    let settings = RedisSettings::new(ServerKind::Redis7);
    let replica = settings.directive("replicaof", &format!("127.0.0.1 {}", primary.port())).start();
    let memory = memory(options(&replica.url()));
    let error = store_error(append(&memory, "s", "0").await.unwrap_err());
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    replica.command(&["REPLICAOF", "NO", "ONE"]);
    append(&memory, "s", "0").await.unwrap();
}

/// One name for whichever server is the primary, as managed services have it: the connection is made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_another_server_is_looked_up_again() {
    let first = RedisServer::start(ServerKind::Redis7);
    let second = RedisServer::start(ServerKind::Redis7);
    let name = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let memory = memory(options(&first.url_via(name.local_addr().unwrap())));
    let (lead, leads_to) = tokio::sync::watch::channel(first.addr());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = name.accept().await {
            let upstream = *leads_to.borrow();
            let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    append(&memory, "s", "0").await.unwrap();
    lead.send_replace(second.addr());
    first.command(&["REPLICAOF", "127.0.0.1", &second.port().to_string()]);
    // The old connection still stands, to a server that takes no writes any more.
    append(&memory, "s", "1").await.unwrap();
    assert_eq!(second.command(&["LLEN", &log("s")]).integer(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_does_not_end_makes_the_server_busy() {
    let server = RedisSettings::new(ServerKind::Redis7).directive("lua-time-limit", "10").start();
    let memory = memory(options(&server.url()));
    append(&memory, "s", "0").await.unwrap();
    let mut script = server.connect();
    script.send(&["EVAL", "while true do end", "0"]).unwrap();
    // Nobody is told when it counts as slow.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !matches!(server.command(&["GET", "x"]), Reply::Error(text) if text.starts_with("BUSY")) {
        assert!(Instant::now() < deadline, "the script does not run");
    }
    let error = store_error(append(&memory, "s", "1").await.unwrap_err());
    assert!(matches!(error, StoreError::Busy { .. }) && error.is_retryable(), "{error:?}");
    assert!(memory.describe(&session("s")).await.is_err());
    server.command(&["SCRIPT", "KILL"]);
    script.receive().unwrap();
    append(&memory, "s", "1").await.unwrap();
    assert_eq!(texts(&memory, "s").await, ["0", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_save_takes_no_writes() {
    let server = RedisSettings::new(ServerKind::Redis7).directive("dbfilename", "dump.d").start();
    // A snapshot cannot take the place of a folder.
    let in_the_way = server.folder().join("dump.d");
    std::fs::create_dir_all(in_the_way.join("something")).unwrap();
    server.command(&["CONFIG", "SET", "save", "3600 1"]);
    server.command(&["SET", "x", "1"]);
    server.command(&["BGSAVE"]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !server.command(&["INFO", "persistence"]).text().contains("rdb_last_bgsave_status:err") {
        assert!(Instant::now() < deadline, "the snapshot did not fail");
    }
    let memory = memory(options(&server.url()));
    let error = store_error(append(&memory, "s", "0").await.unwrap_err());
    assert!(
        matches!(&error, StoreError::ReadOnly { reason, .. } if reason.starts_with("MISCONF")),
        "{error:?}"
    );
    std::fs::remove_dir_all(in_the_way).unwrap();
    assert_eq!(server.command(&["SAVE"]).text(), "OK");
    append(&memory, "s", "0").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_misses_its_replicas_takes_no_writes() {
    let server = RedisSettings::new(ServerKind::Redis7).directive("min-replicas-to-write", "1").start();
    let memory = memory(options(&server.url()));
    let error = store_error(append(&memory, "s", "0").await.unwrap_err());
    assert!(
        matches!(&error, StoreError::ReadOnly { reason, .. } if reason.starts_with("NOREPLICAS")),
        "{error:?}"
    );
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    append(&memory, "s", "0").await.unwrap();
}

/// It has much to read, and says so meanwhile; then all is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_loading_says_so_until_it_has() {
    // It takes 50 ms for each key that it reads, and looks at its clients after each kilobyte.
    let settings = RedisSettings::new(ServerKind::Redis7)
        .directive("key-load-delay", "50000")
        .directive("rdbcompression", "no")
        .directive("loading-process-events-interval-bytes", "1024");
    let server = std::sync::Arc::new(settings.start());
    let memory = memory(options(&server.url()));
    let before = "before".repeat(100);
    for number in 0..100 {
        append(&memory, &format!("s{number}"), &before).await.unwrap();
    }
    assert_eq!(server.command(&["SAVE"]).text(), "OK");
    server.kill();
    let restarting = std::sync::Arc::clone(&server);
    let restart = tokio::spawn(beside(move || restarting.restart()));
    let mut loading = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    let first_seq = loop {
        assert!(Instant::now() < deadline, "it does not end");
        match append_once(&memory, "s0", "after").await {
            Ok((first_seq, _)) => break first_seq,
            Err(Error::Store(StoreError::Loading { .. })) => {
                loading += 1;
                // It has been seen, and may get on with it.
                server.command(&["CONFIG", "SET", "key-load-delay", "0"]);
            }
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    };
    restart.await.unwrap();
    assert!(loading > 0, "it never said that it was loading");
    assert_eq!(first_seq, 2);
    assert_eq!(texts(&memory, "s0").await, [before.as_str(), "after"]);
}
