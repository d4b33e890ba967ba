use std::collections::HashMap;
use std::ffi::OsString;

use clap::Command;

use super::*;
use crate::settings::{OPTIONS, flags_for, page, sample};

/// Settings from flags, variables and a file.
fn settings(server: bool, flags: &str, env: &[(&str, &str)], file: &str) -> anyhow::Result<Settings> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hitherto.toml");
    std::fs::write(&path, file)?;
    let mut args: Vec<String> = std::iter::once("hitherto".to_owned()).collect();
    args.extend(flags.split_whitespace().map(str::to_owned));
    args.extend(["--config".to_owned(), path.display().to_string()]);
    let matches = Command::new("hitherto").args(flags_for(server)).try_get_matches_from(args)?;
    let env: HashMap<&str, OsString> = env.iter().map(|(name, value)| (*name, value.into())).collect();
    Settings::resolve(&Layers::gather(&matches, |name| env.get(name).cloned(), server)?)
}

fn check_backend(flags: &str, env: &[(&str, &str)], file: &str, expected: &str) {
    let found = match settings(false, flags, env, file) {
        Ok(settings) => match settings.backend {
            Backend::Embedded(path) => format!("db {}", path.display()),
            Backend::Redis(_) => "redis".to_owned(),
            Backend::Server(url) => format!("server {url}"),
        },
        Err(error) => format!("{error:#}").lines().next().unwrap_or_default().to_owned(),
    };
    assert!(found.contains(expected), "{flags} {env:?} {file}: {found}");
}

#[test]
fn the_stronger_source_says_where_the_sessions_are() {
    let redis = ("HITHERTO_REDIS_URL", "redis://h");
    let db = ("HITHERTO_DB", "env.db");
    check_backend("", &[], "", "db hitherto.db");
    check_backend("", &[redis], "", "redis");
    check_backend("--db flag.db", &[redis], "", "db flag.db");
    check_backend("--redis redis://h", &[db], "db = 'file.db'", "redis");
    check_backend("", &[db], "redis = 'redis://h'", "db env.db");
    check_backend("--server http://h", &[db], "", "server http://h");
    check_backend("", &[db, redis], "", "db and redis are given side by side by the environment");
    check_backend("", &[], "db = 'a'\nserver = 'http://h'", "by the settings file");
    check_backend("--db a --redis redis://h", &[], "", "cannot be used with");
    check_backend("--db a --server http://h", &[], "", "cannot be used with");
}

#[test]
fn a_flag_beats_the_environment_that_beats_the_file_that_beats_the_default() {
    let log = |flags, env: &[_], file| settings(true, flags, env, file).unwrap().log;
    assert_eq!(log("", &[], ""), "info");
    assert_eq!(log("", &[], "log = 'warn'"), "warn");
    assert_eq!(log("", &[("HITHERTO_LOG", "debug")], "log = 'warn'"), "debug");
    assert_eq!(log("--log trace", &[("HITHERTO_LOG", "debug")], "log = 'warn'"), "trace");
    assert_eq!(log("", &[("HITHERTO_LOG", "")], "log = 'warn'"), "warn", "an empty variable is none");
}

#[test]
fn a_file_serves_every_command() {
    let file = "server = 'http://h'\nbody_limit = '2 MiB'\ndemo = true\nttl = 60";
    let server = settings(true, "", &[], file).unwrap();
    assert!(matches!(server.backend, Backend::Embedded(_)) && server.demo);
    assert_eq!((server.body_limit, server.ttl.unwrap().as_millis()), (2 << 20, 60_000));
    assert!(matches!(settings(false, "", &[], file).unwrap().backend, Backend::Server(_)));
}

#[test]
fn refuses_what_cannot_be_and_says_where_it_stands() {
    let check = |flags: &str, env: &[_], file: &str, expected: &str| {
        let error = format!("{:#}", settings(true, flags, env, file).unwrap_err());
        assert!(error.contains(expected), "{error}");
    };
    check("", &[], "lissten = 'x'\ncolour = 1", "unknown key colour, lissten");
    check("", &[], "config = 'x'", "unknown key config");
    check("", &[], "a = ", "line 1: ");
    check("", &[("HITHERTO_TTL", "0")], "", "HITHERTO_TTL must be a whole number from 1");
    check("--body-limit much", &[], "", "--body-limit must be a size");
    check("", &[], "listen = [1]", "listen must be a host and a port");
    check("--redis-cert a.pem", &[], "", "redis_cert needs redis_key");
}

#[test]
fn a_password_is_never_printed() {
    let url = "redis://user:s3cret@h:6379";
    let good = settings(true, "", &[("HITHERTO_REDIS_URL", url)], "").unwrap();
    assert!(!format!("{good:?}").contains("s3cret"));
    for (env, file) in [
        (vec![("HITHERTO_REDIS_URL", "user:s3cret@h")], String::new()),
        (vec![], "redis = 'user:s3cret@h'".to_owned()),
        (vec![], format!("redis = '{url}")),
        (vec![], format!("redis = ['{url}']")),
    ] {
        let error = settings(true, "", &env, &file).unwrap_err();
        assert!(!format!("{error:?} {error:#}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn the_table_names_everything_once() {
    for (index, option) in OPTIONS.iter().enumerate() {
        for other in OPTIONS.iter().skip(index + 1) {
            assert_ne!(option.name, other.name);
            assert_ne!(option.env, other.env);
        }
        assert!(option.env.starts_with("HITHERTO_"), "{}", option.env);
        assert!(option.default.is_none_or(|default| option.kind.accept(default).is_ok()), "{}", option.name);
    }
}

/// With `HITHERTO_WRITE_DOCS=1` the pages are written instead of compared.
#[test]
fn the_pages_in_docs_are_what_the_table_says() {
    for (name, text) in [("settings.md", page()), ("hitherto.toml", sample())] {
        crate::same_as_in_docs(name, &text);
    }
}

#[test]
fn every_line_of_the_sample_file_works() {
    for line in
        sample().lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.contains(" = "))
    {
        if line.starts_with("redis_cert") || line.starts_with("redis_key") {
            continue;
        }
        settings(true, "", &[], line).unwrap_or_else(|error| panic!("{line}: {error:#}"));
    }
}
