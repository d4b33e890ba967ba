use std::collections::HashMap;
use std::ffi::OsString;

use clap::Command;
use secrecy::ExposeSecret as _;

use super::*;
use crate::settings::{Caller, ModelKey, OPTIONS, flags_for, page, sample};
use crate::tls::ClientAuth;

/// Settings from flags, variables and a file.
fn settings(caller: Caller, flags: &str, env: &[(&str, &str)], file: &str) -> anyhow::Result<Settings> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hitherto.toml");
    std::fs::write(&path, file)?;
    let mut args: Vec<String> = std::iter::once("hitherto".to_owned()).collect();
    args.extend(flags.split_whitespace().map(str::to_owned));
    args.extend(["--config".to_owned(), path.display().to_string()]);
    let matches = Command::new("hitherto").args(flags_for(caller)).try_get_matches_from(args)?;
    let env: HashMap<&str, OsString> = env.iter().map(|(name, value)| (*name, value.into())).collect();
    Settings::resolve(&Layers::gather(&matches, |name| env.get(name).cloned(), caller)?)
}

fn check_backend(flags: &str, env: &[(&str, &str)], file: &str, expected: &str) {
    let found = match settings(Caller::Client, flags, env, file) {
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
    let log = |flags, env: &[_], file| settings(Caller::Server, flags, env, file).unwrap().log;
    assert_eq!(log("", &[], ""), "info");
    assert_eq!(log("", &[], "log = 'warn'"), "warn");
    assert_eq!(log("", &[("HITHERTO_LOG", "debug")], "log = 'warn'"), "debug");
    assert_eq!(log("--log trace", &[("HITHERTO_LOG", "debug")], "log = 'warn'"), "trace");
    assert_eq!(log("", &[("HITHERTO_LOG", "")], "log = 'warn'"), "warn", "an empty variable is none");
}

#[test]
fn a_file_serves_every_command() {
    let file = "server = 'http://h'\nbody_limit = '2 MiB'\ndemo = true\nttl = 60";
    let server = settings(Caller::Server, "", &[], file).unwrap();
    assert!(matches!(server.backend, Backend::Embedded(_)) && server.demo);
    assert_eq!((server.body_limit, server.ttl.unwrap().as_millis()), (2 << 20, 60_000));
    assert!(matches!(settings(Caller::Client, "", &[], file).unwrap().backend, Backend::Server(_)));
}

#[test]
fn refuses_what_cannot_be_and_says_where_it_stands() {
    let check = |flags: &str, env: &[_], file: &str, expected: &str| {
        let error = format!("{:#}", settings(Caller::Server, flags, env, file).unwrap_err());
        assert!(error.contains(expected), "{error}");
    };
    check("", &[], "lissten = 'x'\ncolour = 1", "unknown key colour, lissten");
    check("", &[], "config = 'x'", "unknown key config");
    check("", &[], "a = ", "line 1: ");
    check("", &[("HITHERTO_TTL", "0")], "", "HITHERTO_TTL must be a whole number from 1");
    check("--body-limit much", &[], "", "--body-limit must be a size");
    check("", &[], "listen = [1]", "listen must be a host and a port");
    check("--redis-cert a.pem", &[], "", "redis_cert needs redis_key");
    check("", &[], "summaries = 'maybe'", "summaries must be one of on, off");
    check("--window 0", &[], "", "--window must be a whole number from 1");
    check("--fold-retry-first 700", &[], "", "fold_retry_first is longer than fold_retry_most");
    check("--model m", &[], "", "model needs model_url");
    check("", &[("HITHERTO_MODEL_URL", "http://h")], "", "model_url needs model");
    check("", &[("HITHERTO_MODEL_KEY", "k")], "", "model_key needs model and model_url");
    check("--model-ca x.pem", &[], "", "model_ca needs model and model_url");
    let model = "model = 'm'\nmodel_url = 'http://h'\n";
    check("--model-key k", &[], &format!("{model}model_key_file = 'f'"), "are both given");
    check("--model-key k --model-key-file f", &[], "", "cannot be used with");
    check("", &[], &format!("{model}model_headers = [1]"), "model_headers must be NAME: VALUE, one a line");
    check("", &[], &format!("{model}model_body = '[1]'"), "model_body must be an object of JSON");
    check("", &[], "tenants = 1", "tenants must be tables such as [tenants.acme]");
    check(
        "",
        &[],
        "[tenants.acme]\nwindw = 3",
        "[tenants.acme]: unknown key windw; known are summaries, window",
    );
    check("", &[], "[tenants.acme]\nlisten = 'x'", "[tenants.acme]: unknown key listen");
    check("", &[], "[tenants.acme]\nwindow = 0", "[tenants.acme]: window must be a whole number from 1");
    check("", &[], "[tenants.acme]\nwindow = [1]", "[tenants.acme]: window must be");
    check("", &[], "[tenants.acme.more]\nwindow = 1", "[tenants.acme]: unknown key more");
    check("", &[], "[tenants.'']\nwindow = 1", "[tenants.]: ");
}

#[test]
fn how_sessions_are_summarised() {
    let plain = settings(Caller::Client, "", &[], "").unwrap().summaries;
    assert_eq!(plain.policy, hitherto::summary::Policy::default());
    assert!(plain.model.is_none() && plain.tenants.is_empty());
    let file = "summaries = false\nmodel = 'm'\nmodel_url = 'http://h/v1'\nmodel_key_file = 'k'\n\
                model_headers = ['a: 1', 'b: 2']\nmodel_body = { temperature = 0.2, stop = ['x'] }\n\
                [tenants.acme]\nsummaries = true\nwindow = 3";
    for caller in [Caller::Server, Caller::Folder, Caller::Client] {
        let found = settings(caller, "", &[("HITHERTO_FOLD_AFTER_TURNS", "7")], file).unwrap().summaries;
        assert_eq!((found.policy.enabled, found.policy.fold_after_turns), (false, 7));
        let acme = found.tenants[&hitherto::Tenant::parse("acme").unwrap()];
        assert_eq!((acme.enabled, acme.window, acme.summary_tokens), (Some(true), Some(3), None));
        let model = found.model.unwrap();
        assert!(matches!(model.key, Some(ModelKey::File(_))));
        assert_eq!(model.headers.unwrap().expose_secret(), "a: 1\nb: 2");
        assert_eq!(model.body.unwrap().expose_secret(), r#"{"stop":["x"],"temperature":0.2}"#);
    }
    let flags = "--window 3 --model m --model-url http://h --model-headers a:1 --model-headers b:2";
    let found = settings(Caller::Folder, flags, &[], "window = 5").unwrap().summaries;
    assert_eq!((found.policy.window, found.model.unwrap().headers.unwrap().expose_secret()), (3, "a:1\nb:2"));
    let error = settings(Caller::Client, "--window 3", &[], "").unwrap_err();
    assert!(error.to_string().contains("unexpected argument"), "only what folds has the flags: {error}");
}

#[test]
fn a_password_is_never_printed() {
    let url = "redis://user:s3cret@h:6379";
    let good = settings(Caller::Server, "", &[("HITHERTO_REDIS_URL", url)], "").unwrap();
    assert!(!format!("{good:?}").contains("s3cret"));
    for (env, file) in [
        (vec![("HITHERTO_REDIS_URL", "user:s3cret@h")], String::new()),
        (vec![], "redis = 'user:s3cret@h'".to_owned()),
        (vec![], format!("redis = '{url}")),
        (vec![], format!("redis = ['{url}']")),
    ] {
        let error = settings(Caller::Server, "", &env, &file).unwrap_err();
        assert!(!format!("{error:?} {error:#}").contains("s3cret"), "{error:?}");
    }
    let model = "model = 'm'\nmodel_url = 'https://h/v1?key=s3cret'\nmodel_key = 's3cret'\n\
                 model_headers = ['x-key: s3cret']\nmodel_body = { user = 's3cret' }";
    let good = settings(Caller::Server, "", &[], model).unwrap();
    assert!(!format!("{good:?}").contains("s3cret"));
    for (name, value) in [
        ("HITHERTO_MODEL_URL", "s3cret"),
        ("HITHERTO_MODEL_KEY", "s3cret"),
        ("HITHERTO_MODEL_HEADERS", "s3cret: s3cret"),
        ("HITHERTO_MODEL_BODY", "{\"s3cret\":"),
        ("HITHERTO_MODEL_BODY", "{\"user\":\"s3cret\"}"),
    ] {
        let error = settings(Caller::Server, "", &[(name, value)], "").unwrap_err();
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
    let sample = sample();
    let (options, profile) = sample.split_once("# [profiles").unwrap();
    let profile = format!("[profiles{}", profile.replace("\n# ", "\n"));
    assert_eq!(settings(Caller::Server, "", &[], &profile).unwrap().profiles.len(), 1);
    for line in options.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.contains(" = "))
    {
        let in_pairs = [
            "redis_cert",
            "redis_key",
            "model",
            "tls_certificate",
            "tls_key",
            "tls_client_ca",
            "metrics_tenants",
            "otlp",
            "jwt_",
        ];
        if in_pairs.iter().any(|name| line.starts_with(name)) {
            continue;
        }
        settings(Caller::Server, "", &[], line).unwrap_or_else(|error| panic!("{line}: {error:#}"));
    }
}

#[test]
fn the_apis_of_other_servers_can_be_switched_off() {
    let check = |flags, motorhead, zep, role| {
        let found = settings(Caller::Server, flags, &[], "").unwrap();
        assert_eq!((found.motorhead, found.zep, found.summary_role), (motorhead, zep, role), "{flags}");
    };
    check("", true, true, SummaryRole::System);
    check("--motorhead off", false, true, SummaryRole::System);
    check("--zep off --summary-role user", true, false, SummaryRole::User);
    assert!(settings(Caller::Server, "--summary-role tool", &[], "").is_err());
}

#[test]
fn a_certificate_and_its_key_come_together() {
    let tls = |flags: &str| settings(Caller::Server, flags, &[], "").map(|found| found.tls);
    assert_eq!(tls("").unwrap(), None);
    let pair = "--tls-certificate c.pem --tls-key k.pem";
    let found = tls(pair).unwrap().unwrap();
    assert_eq!((found.http, found.redis, &found.files.clients), (true, true, &None));
    let found = tls(&format!("{pair} --tls-ports redis --tls-client-ca a.pem")).unwrap().unwrap();
    assert_eq!((found.http, found.redis), (false, true));
    assert_eq!(found.files.clients, Some(("a.pem".into(), ClientAuth::Required)));
    let found = tls(&format!("{pair} --tls-client-ca a.pem --tls-client-auth optional")).unwrap().unwrap();
    assert_eq!(found.files.clients, Some(("a.pem".into(), ClientAuth::Optional)));
    for (flags, expected) in [
        ("--tls-certificate c.pem", "tls_certificate needs tls_key"),
        ("--tls-key k.pem", "tls_key needs tls_certificate"),
        ("--tls-client-ca a.pem", "tls_client_ca needs tls_certificate and tls_key"),
    ] {
        let said = format!("{:#}", tls(flags).unwrap_err());
        assert!(said.contains(expected), "{said}");
    }
    let file = "server_ca = 'a.pem'\nserver_cert = 'c.pem'\nserver_key = 'k.pem'";
    let found = settings(Caller::Client, "", &[], file).unwrap().server_tls;
    assert_eq!((found.ca, found.client), (Some("a.pem".into()), Some(("c.pem".into(), "k.pem".into()))));
}
