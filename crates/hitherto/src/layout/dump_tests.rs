use super::*;

#[test]
fn a_dump_comes_back_as_it_was() {
    let all = [
        r#"{"key":"l","type":"list","ttl":-1,"value":["a","\u0001","Zoë \u2028"]}"#,
        r#"{"key":"h","type":"hash","ttl":3600,"value":{"f":"1","g":{"base64":"/w=="}}}"#,
        r#"{"key":"z","type":"zset","ttl":-1,"value":[["m","1795365261.0"],["n","1735689601000001.0"]]}"#,
        r#"{"key":"s","type":"string","ttl":-1,"value":"text"}"#,
        r#"{"key":"j","type":"ReJSON-RL","ttl":-1,"value":"{\"a\": 1}"}"#,
        r#"{"key":"e","type":"set","ttl":-1,"value":["m"]}"#,
    ];
    let lines = Dump::parse(all.join("\n").as_bytes(), None).unwrap();
    let whole = Dump::parse(format!("{{\"keys\":[{}]}}", all.join(",")).as_bytes(), None).unwrap();
    assert_eq!(lines, whole);
    for text in all {
        let name = serde_json::from_str::<Json>(text).unwrap()["key"].as_str().unwrap().to_owned();
        let mut out = Vec::new();
        lines.get(name.as_bytes()).unwrap().write_json(&mut out);
        let again: Json = serde_json::from_slice(&out).unwrap();
        assert_eq!(again, serde_json::from_str::<Json>(text).unwrap());
    }
}

#[test]
fn what_is_no_dump_is_refused_in_words() {
    let check = |text: &str, scenario: Option<&str>, expected: &str| {
        let error = Dump::parse(text.as_bytes(), scenario).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("{", None, "it is no JSON");
    check("[]", None, "has no name");
    check(r#"{"key":"a"}"#, None, "the key a has no type");
    check(r#"{"key":"a","type":"list","value":"x"}"#, None, "none of the type list");
    check(r#"{"key":"a","type":"stream","value":"x"}"#, None, "none of the type stream");
    let one = r#"{"key":"a","type":"string","value":"x"}"#;
    check(&format!("{one}\n{one}"), None, "twice");
    check(r#"{"scenarios":{"one":{"keys":[]},"two":{"keys":[]}}}"#, None, "one, two");
    check(r#"{"scenarios":{"one":{"keys":[]}}}"#, Some("three"), "one");
    assert!(Dump::parse(br#"{"scenarios":{"one":{"keys":[]}}}"#, Some("one")).is_ok());
    assert_eq!(Dump::parse(b"", None), Ok(Dump::default()));
}
