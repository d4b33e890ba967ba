//! Holds `docs/storage.md` and the code together.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/storage.md");

/// The lines under a heading, up to the next.
fn section(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n{heading}\n")).expect(heading);
    section.split("\n#").next().unwrap()
}

/// The names in backticks in the first column of the table under a heading.
fn first_column(heading: &str) -> BTreeSet<String> {
    let rows = section(heading).lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

#[test]
fn every_table_is_on_the_page() {
    let (_, code) = PAGE.split_once("```sql\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    assert_eq!(code.trim(), crate::store::embedded::TABLES.trim());
}

#[test]
fn every_script_is_on_the_page_with_its_commands() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/redis/lua");
    let mut scripts = BTreeSet::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".inc") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut commands = called(&text);
        for included in text.split("-- include: ").skip(1).filter_map(|rest| rest.lines().next()) {
            let path = folder.join(format!("{included}.inc.lua"));
            commands.extend(called(&std::fs::read_to_string(path).unwrap()));
        }
        let row = section("### The scripts")
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .expect(&name);
        let listed = row.rsplit('|').nth(1).unwrap();
        let listed: BTreeSet<String> = listed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(listed, commands, "{name}");
        scripts.insert(name);
    }
    assert_eq!(first_column("### The scripts"), scripts);
}

fn called(text: &str) -> BTreeSet<String> {
    text.split("redis.call('").skip(1).filter_map(|rest| rest.split('\'').next()).map(str::to_owned).collect()
}

#[test]
fn every_field_is_on_the_page() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/redis/lua");
    let mut used = BTreeSet::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let fields = text.split("KEYS[2], '").skip(1).filter_map(|rest| rest.split('\'').next());
        used.extend(fields.map(str::to_owned));
        if path.ends_with("state.inc.lua") {
            let (_, format) = text.split_once("struct.unpack('").unwrap();
            let format = format.split('\'').next().unwrap();
            assert!(section("### The fields of `meta`").contains(&format!("`{format}`")), "{format}");
        }
    }
    assert_eq!(first_column("### The fields of `meta`"), used);
}

#[test]
fn every_key_is_on_the_page() {
    let keys = first_column("## In Redis");
    let scope = crate::Scope::default();
    let session = scope.session(&crate::SessionId::parse("s").unwrap());
    let shown = |key: &str| {
        key.replace("7:default", "T:tenant")
            .replace("12:chat_history", "K:memory key")
            .replace("1:s}", "S:session}")
            .replace("sessions:3", "sessions:N")
            .replace("1:u", "U:user")
            .replace("}:K:memory key:1:s", "}:K:memory key:S:session")
            .replace("due:3", "due:N")
            .replace("witness:3", "witness:N")
            .replace("00000000-0000-0000-0000-000000000000", "F")
    };
    let names = crate::store::redis::key_names(&session);
    let code: BTreeSet<String> =
        names.iter().map(|name| shown(name)).filter(|name| !name.ends_with("once:1")).collect();
    assert_eq!(keys, code);
}
