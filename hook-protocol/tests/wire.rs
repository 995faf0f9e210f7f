//! The exact JSON of each message, and what a reader makes of messages of another version.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;
use std::fmt::Debug;

use hook_protocol::Digest;
use hook_protocol::wire::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The digest of nothing.
const D: &str = "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

const UNIT: &str = r#"{"package":"foo","version":"1.2.3","target":"foo","target-kind":"lib","mode":"build","profile":"dev","platform":"host","features":["std"]}"#;

fn unit() -> Unit {
    Unit {
        package: "foo".to_owned(),
        version: "1.2.3".to_owned(),
        target: "foo".to_owned(),
        target_kind: "lib".to_owned(),
        mode: "build".to_owned(),
        profile: "dev".to_owned(),
        platform: "host".to_owned(),
        features: vec!["std".to_owned()],
    }
}

fn nothing() -> Digest {
    Digest::of(b"")
}

fn hashes() -> Hashes {
    Hashes {
        key: nothing(),
        action: nothing(),
        ingredients: BTreeMap::new(),
        files: Vec::new(),
    }
}

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T, json: &str) {
    assert_eq!(serde_json::to_string(message).unwrap(), json);
    assert_eq!(&serde_json::from_str::<T>(json).unwrap(), message);
    if json.starts_with('{') {
        let later = json.replacen('{', r#"{"later":{"x":[1]},"#, 1);
        assert_eq!(
            &serde_json::from_str::<T>(&later).unwrap(),
            message,
            "unknown field"
        );
    }
}

#[test]
fn hello() {
    let capabilities = vec![
        Capability::BeforeBuild,
        Capability::AfterBuild,
        Capability::Session,
        Capability::Concurrent,
    ];
    let hello = Hello {
        v: vec![1],
        name: "x".to_owned(),
        capabilities,
    };
    let json = r#"{"v":[1],"name":"x","capabilities":["before-build","after-build","session","concurrent"]}"#;
    check(&hello, json);
}

#[test]
fn hello_of_a_later_version() {
    let hello: Hello =
        serde_json::from_str(r#"{"v":[1,2],"name":"x","capabilities":["teleport"]}"#).unwrap();
    assert_eq!(hello.capabilities, [Capability::Unknown]);
    let hello: Hello = serde_json::from_str(r#"{"v":[1],"name":"x"}"#).unwrap();
    assert_eq!(hello.capabilities, []);
}

#[test]
fn begin() {
    let mut begin = Begin {
        v: 1,
        id: 2,
        workspace: "/w".into(),
        build_dir: "/w/target".into(),
        lockfile: None,
        host: "h".to_owned(),
        jobs: 8,
        timeout_ms: None,
        cargo: "c".to_owned(),
    };
    let json = r#"{"kind":"begin","v":1,"id":2,"workspace":"/w","build-dir":"/w/target","host":"h","jobs":8,"cargo":"c"}"#;
    check(&Request::Begin(begin.clone()), json);
    begin.lockfile = Some(nothing());
    let json = json.replace(r#""host""#, &format!(r#""lockfile":"{D}","host""#));
    check(&Request::Begin(begin), &json);
}

#[test]
fn before_build() {
    let mut hashes = hashes();
    hashes.ingredients.insert("profile".to_owned(), nothing());
    hashes.files.push(FileDigest {
        path: "{package}/a.rs".to_owned(),
        digest: nothing(),
    });
    let outputs = vec!["libfoo.rlib".to_owned()];
    let request = BeforeBuild {
        v: 1,
        id: 2,
        unit: unit(),
        hashes,
        outputs,
        is_built: true,
    };
    let hashes = format!(
        r#"{{"key":"{D}","action":"{D}","ingredients":{{"profile":"{D}"}},"files":[{{"path":"{{package}}/a.rs","digest":"{D}"}}]}}"#
    );
    let json = format!(
        r#"{{"kind":"before-build","v":1,"id":2,"unit":{UNIT},"hashes":{hashes},"outputs":["libfoo.rlib"],"is-built":true}}"#
    );
    check(&Request::BeforeBuild(request), &json);
}

#[test]
fn after_build() {
    let request = AfterBuild {
        v: 1,
        id: 2,
        unit: unit(),
        hashes: hashes(),
        entry: OpaqueEntry(serde_json::json!({"any": "thing"})),
        files: BTreeMap::from([("libfoo.rlib".to_owned(), "/t/libfoo.rlib".into())]),
        linkable: Vec::new(),
        duration_ms: 3,
    };
    let json = format!(
        r#"{{"kind":"after-build","v":1,"id":2,"unit":{UNIT},"hashes":{{"key":"{D}","action":"{D}","ingredients":{{}}}},"entry":{{"any":"thing"}},"files":{{"libfoo.rlib":"/t/libfoo.rlib"}},"duration-ms":3}}"#
    );
    check(&Request::AfterBuild(request), &json);
}

#[test]
fn end() {
    let summary = Summary {
        success: true,
        restored: 1,
        compiled: 2,
        ran: 4,
        not_offered: 3,
        unshared: vec![Unshared {
            unit: unit(),
            step: Step::Offered,
            why: Reason::Forced,
        }],
    };
    let json = format!(
        r#"{{"kind":"end","v":1,"id":2,"summary":{{"success":true,"restored":1,"compiled":2,"ran":4,"not-offered":3,"unshared":[{{"unit":{UNIT},"step":"offered","why":{{"name":"forced"}}}}]}}}}"#
    );
    check(
        &Request::End(End {
            v: 1,
            id: 2,
            summary,
        }),
        &json,
    );
    let later = json
        .replace("forced", "on-strike")
        .replace("offered\",", "taught\",");
    let Request::End(End { summary, .. }) = serde_json::from_str(&later).unwrap() else {
        panic!("{later}");
    };
    assert_eq!(summary.unshared[0].why, Reason::Unknown);
    assert_eq!(summary.unshared[0].step, Step::Unknown);
    let sparse = r#"{"kind":"end","v":1,"id":2,"summary":{}}"#;
    let end = End {
        v: 1,
        id: 2,
        summary: Summary::default(),
    };
    assert_eq!(
        serde_json::from_str::<Request>(sparse).unwrap(),
        Request::End(end)
    );
}

#[test]
fn request_of_a_later_version() {
    let json = r#"{"kind":"teleport","v":1,"id":2,"to":{"planet":"mars"}}"#;
    assert_eq!(
        serde_json::from_str::<Request>(json).unwrap(),
        Request::Unknown
    );
}

#[track_caller]
fn check_ok(answer: Answer, json: &str) {
    let response = Response {
        id: 7,
        ok: Some(answer),
        err: None,
    };
    check(&response, &format!(r#"{{"id":7,"Ok":{json}}}"#));
}

#[test]
fn plain_answers() {
    check_ok(Answer::Ready, r#"{"kind":"ready"}"#);
    check_ok(Answer::Done, r#"{"kind":"done"}"#);
    check_ok(Answer::Miss(Miss::default()), r#"{"kind":"miss"}"#);
    check_ok(Answer::Stored(Stored::default()), r#"{"kind":"stored"}"#);
    check_ok(
        Answer::Declined(Declined::default()),
        r#"{"kind":"declined"}"#,
    );
}

#[test]
fn answers_with_more() {
    let reason = Some("no".to_owned());
    check_ok(
        Answer::Miss(Miss {
            reason: reason.clone(),
        }),
        r#"{"kind":"miss","reason":"no"}"#,
    );
    check_ok(
        Answer::Declined(Declined { reason }),
        r#"{"kind":"declined","reason":"no"}"#,
    );
    let relocated = BTreeMap::from([("a".to_owned(), "/s/a".into())]);
    let json = r#"{"kind":"stored","relocated":{"a":"/s/a"}}"#;
    check_ok(
        Answer::Stored(Stored {
            relocated: relocated.clone(),
        }),
        json,
    );
    let candidate = Candidate {
        entry: OpaqueEntry(serde_json::json!(["any", 1])),
        files: relocated,
        placement: Placement::Link,
        lifetime: Lifetime::Session,
    };
    let json = r#"{"kind":"hit","candidates":[{"entry":["any",1],"files":{"a":"/s/a"},"placement":"link","lifetime":"session"}]}"#;
    check_ok(
        Answer::Hit(Hit {
            candidates: vec![candidate],
        }),
        json,
    );
}

#[test]
fn candidates_default_to_the_safest() {
    for more in ["", r#","placement":"teleport","lifetime":"aeon""#] {
        let json = format!(r#"{{"entry":{{}},"files":{{}}{more}}}"#);
        let candidate: Candidate = serde_json::from_str(&json).unwrap();
        assert_eq!(candidate.placement, Placement::Copy);
        assert_eq!(candidate.lifetime, Lifetime::Request);
    }
    check(&Placement::Copy, r#""copy""#);
    check(&Lifetime::Request, r#""request""#);
    check(&Lifetime::Durable, r#""durable""#);
}

#[test]
fn answer_of_a_later_version() {
    let response: Response =
        serde_json::from_str(r#"{"id":7,"Ok":{"kind":"teleported","to":"mars"}}"#).unwrap();
    assert_eq!(response.ok, Some(Answer::Unknown));
}

#[test]
fn errors() {
    let error = |kind, caused_by| {
        let error = HookError {
            kind,
            message: "m".to_owned(),
            caused_by,
        };
        Response {
            id: 7,
            ok: None,
            err: Some(error),
        }
    };
    let json = r#"{"id":7,"Err":{"kind":"other","message":"m","caused-by":["a","b"]}}"#;
    check(
        &error(ErrorKind::Other, vec!["a".to_owned(), "b".to_owned()]),
        json,
    );
    let json = r#"{"id":7,"Err":{"kind":"not-supported","message":"m"}}"#;
    check(&error(ErrorKind::NotSupported, Vec::new()), json);
    let later = r#"{"id":7,"Err":{"kind":"on-strike","message":"m"}}"#;
    let parsed: Response = serde_json::from_str(later).unwrap();
    assert_eq!(parsed, error(ErrorKind::Other, Vec::new()));
}

fn entry() -> (Entry, String) {
    let file = EntryFile {
        role: Role::DebugInfo,
        digest: nothing(),
        size: 0,
        executable: false,
        placeholders: false,
    };
    let set = EnvInput {
        name: "A".to_owned(),
        value: Some(nothing()),
    };
    let unset = EnvInput {
        name: "B".to_owned(),
        value: None,
    };
    let entry = Entry {
        format: ENTRY_FORMAT,
        unit: unit(),
        action: nothing(),
        key: nothing(),
        inputs: Inputs {
            env: vec![set, unset],
            ..Inputs::default()
        },
        messages: Vec::new(),
        files: BTreeMap::from([("foo.dwp".to_owned(), file)]),
        tree: Tree::default(),
        local_only: true,
    };
    let json = format!(
        r#"{{"format":1,"unit":{UNIT},"action":"{D}","key":"{D}","inputs":{{"files":[],"env":[{{"name":"A","value":"{D}"}},{{"name":"B"}}],"bound":{{}}}},"files":{{"foo.dwp":{{"role":"debug-info","digest":"{D}","size":0,"executable":false}}}},"local-only":true}}"#
    );
    (entry, json)
}

/// The entry of a build script that ran.
#[test]
fn an_entry_of_a_folder() {
    let (entry, _) = entry();
    let text = EntryFile {
        role: Role::OutDir,
        digest: nothing(),
        size: 0,
        executable: false,
        placeholders: true,
    };
    let folder = FileDigest {
        path: "{package}/schemas".to_owned(),
        digest: nothing(),
    };
    let bound = Bound {
        path: nothing(),
        by: "`a`".to_owned(),
    };
    let entry = Entry {
        inputs: Inputs {
            folders: vec![folder],
            absent: vec!["{package}/a.rs".to_owned()],
            package: Some(nothing()),
            bound: BTreeMap::from([("workspace".to_owned(), bound)]),
            ..Inputs::default()
        },
        files: BTreeMap::from([("out-dir/a.rs".to_owned(), text)]),
        tree: Tree {
            folders: vec!["out-dir/b".to_owned()],
            links: BTreeMap::from([("out-dir/c".to_owned(), "a.rs".to_owned())]),
        },
        local_only: false,
        ..entry
    };
    let json = format!(
        r#"{{"format":1,"unit":{UNIT},"action":"{D}","key":"{D}","inputs":{{"files":[],"folders":[{{"path":"{{package}}/schemas","digest":"{D}"}}],"absent":["{{package}}/a.rs"],"package":"{D}","env":[],"bound":{{"workspace":{{"path":"{D}","by":"`a`"}}}}}},"files":{{"out-dir/a.rs":{{"role":"out-dir","digest":"{D}","size":0,"executable":false,"placeholders":true}}}},"tree":{{"folders":["out-dir/b"],"links":{{"out-dir/c":"a.rs"}}}},"local-only":false}}"#
    );
    check(&entry, &json);
}

#[test]
fn entries() {
    let (entry, json) = entry();
    check(&entry, &json);
    assert_eq!(OpaqueEntry::from(&entry).parse().unwrap(), entry);
    let later = json.replace("debug-info", "soul");
    let later: Entry = serde_json::from_str(&later).unwrap();
    assert_eq!(later.files["foo.dwp"].role, Role::Unknown);
}

/// A hook that is older than Cargo must not lose what it does not know.
#[test]
fn unknown_fields_of_an_entry_survive_a_hook() {
    let (_, json) = entry();
    let later = json.replacen('{', r#"{"later":{"z":1,"a":[2.5,null]},"#, 1);
    let kept: OpaqueEntry = serde_json::from_str(&later).unwrap();
    let returned: serde_json::Value =
        serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
    assert_eq!(
        returned,
        serde_json::from_str::<serde_json::Value>(&later).unwrap()
    );
    kept.parse().unwrap();
}
