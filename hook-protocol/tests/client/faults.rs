//! Every way to break the protocol is an error for who waits, ends the process, and leaves a client
//! that can be used.

use super::*;

/// What the hook does after a good beginning and one request, and what the client makes of it.
#[track_caller]
fn check(steps: &[&str], expected: &str) {
    let prefix = [SESSION, "read", "ok=ready", "read"];
    let client = running(&[&prefix, steps].concat());
    let error = client.before_build(before()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[track_caller]
fn check_start(steps: &[&str], expected: &str) {
    let (_client, outcome) = started(steps);
    assert_eq!(outcome.unwrap_err().to_string(), expected);
}

#[test]
fn program_is_missing() {
    let missing = Command {
        program: "/nowhere/hook".into(),
        ..command(&[])
    };
    let client = client_with(missing, LONG, 1);
    let error = client.begin(begin()).unwrap_err();
    assert_eq!(error.to_string(), "failed to start `/nowhere/hook`");
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(client.name(), "hook");
}

#[test]
fn exits_without_hello() {
    check_start(
        &["exit=0"],
        "the process ended (exit status: 0) before it answered",
    );
}

#[test]
fn exits_with_words_on_stderr() {
    let expected = "the process ended (exit status: 3) before it answered\n--- stderr\nno\nluck";
    check_start(&["stderr=no", "stderr=luck", "exit=3"], expected);
}

#[test]
fn garbage_for_a_hello() {
    let expected = "the first line is not a hello: \
        expected ident at line 1 column 2: `this is no hook`";
    check_start(&["print=this is no hook", "serve"], expected);
}

#[test]
fn hello_without_versions() {
    let expected = "the first line is not a hello: \
        missing field `v` at line 1 column 12: `{\"name\":\"x\"}`";
    check_start(&[r#"print={"name":"x"}"#, "serve"], expected);
}

#[test]
fn hello_without_a_usable_name() {
    for name in ["", "a\\nb", &"x".repeat(65)] {
        let hello = format!(r#"print={{"v":[1],"name":"{name}","capabilities":[]}}"#);
        let (_client, outcome) = started(&[&hello, "serve"]);
        assert!(
            matches!(outcome, Err(Error::Hello { .. })),
            "{name}: {outcome:?}"
        );
    }
}

#[test]
fn unknown_version() {
    let expected = "it speaks version 2, 3 of the protocol; Cargo speaks 1";
    check_start(&[r#"print={"v":[2,3]}"#, "serve"], expected);
}

#[test]
fn one_known_version_among_others_will_do() {
    let hello =
        r#"print={"v":[1,2],"name":"x","capabilities":["before-build","teleport"],"new":1}"#;
    let client = running(&[hello, "serve"]);
    assert_eq!(client.name(), "x");
    assert_eq!(client.before_build(before()).unwrap(), miss());
}

#[test]
fn begin_is_refused() {
    let refusal = r#"print={"id":{id},"Err":{"kind":"other","message":"no","caused-by":["why"]}}"#;
    check_start(&[SESSION, "read", refusal, "serve"], "no: why");
}

#[test]
fn garbage_for_an_answer() {
    check(
        &["print=oops"],
        "malformed line: expected value at line 1 column 1: `oops`",
    );
}

#[test]
fn half_a_line() {
    let expected =
        "malformed line: EOF while parsing an object at line 1 column 12: `{\"id\":1,\"Ok\"`";
    check(&[r#"raw={"id":1,"Ok""#, "exit=0"], expected);
}

#[test]
fn exits_in_the_middle() {
    check(
        &["exit=7"],
        "the process ended (exit status: 7) before it answered",
    );
}

#[test]
fn unknown_id() {
    let answer = r#"print={"id":999,"Ok":{"kind":"miss"}}"#;
    check(
        &[answer, "serve"],
        "an answer to request 999, which is not waiting for one",
    );
}

#[test]
fn two_answers_to_one_request() {
    let client = running(&[
        SESSION, "read", "ok=ready", "read", "ok=miss", "ok=miss", "serve",
    ]);
    assert_eq!(client.before_build(before()).unwrap(), miss());
    let error = client.before_build(before()).unwrap_err();
    assert!(matches!(error, Error::UnknownId { .. }), "{error}");
}

#[test]
fn answer_of_another_kind() {
    check(
        &["ok=stored", "serve"],
        "the answer `stored` does not belong to a `before-build` request",
    );
    check(
        &["ok=ready", "serve"],
        "the answer `ready` does not belong to a `before-build` request",
    );
}

#[test]
fn answer_of_a_later_version() {
    let expected = "the answer `of an unknown kind` does not belong to a `before-build` request";
    check(&["ok=teleport", "serve"], expected);
}

#[test]
fn hit_without_candidates() {
    let hit = r#"print={"id":{id},"Ok":{"kind":"hit","candidates":[]}}"#;
    let expected =
        "the answer `hit without candidates` does not belong to a `before-build` request";
    check(&[hit, "serve"], expected);
}

#[test]
fn both_ok_and_err() {
    let both = r#"print={"id":{id},"Ok":{"kind":"miss"},"Err":{"kind":"other","message":"x"}}"#;
    let error = fails_after(&[both, "serve"]);
    assert!(
        error.starts_with("malformed line: both `Ok` and `Err`: "),
        "{error}"
    );
}

#[test]
fn neither_ok_nor_err() {
    let error = fails_after(&[r#"print={"id":{id}}"#, "serve"]);
    assert!(
        error.starts_with("malformed line: neither `Ok` nor `Err`: "),
        "{error}"
    );
}

#[track_caller]
fn fails_after(steps: &[&str]) -> String {
    let client = running(&[&[SESSION, "read", "ok=ready", "read"], steps].concat());
    client.before_build(before()).unwrap_err().to_string()
}

#[test]
fn a_line_without_end() {
    let client = running(&[
        SESSION,
        "read",
        "ok=ready",
        "read",
        "endless=68000000",
        "serve",
    ]);
    let error = client.before_build(before()).unwrap_err();
    assert_eq!(error.to_string(), "a line is longer than 64 MiB");
}

#[test]
fn an_error_of_the_hook_keeps_the_process() {
    let error = r#"print={"id":{id},"Err":{"kind":"other","message":"no","caused-by":["disk"]}}"#;
    let client = running(&[
        SESSION, "read", "ok=ready", "read", error, "read", "ok=miss", "serve",
    ]);
    let failed = client.before_build(before()).unwrap_err();
    assert_eq!(failed.to_string(), "no: disk");
    assert_eq!(client.before_build(before()).unwrap(), miss());
    client.end(Summary::default(), LONG).unwrap();
}

#[test]
fn all_who_wait_get_the_error() {
    let client = running(&[
        CONCURRENT,
        "read",
        "ok=ready",
        "read",
        "read",
        "read",
        "print=oops",
        "serve",
    ]);
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| client.before_build(before())))
            .collect();
        for outcome in asked.into_iter().map(|it| it.join().unwrap()) {
            assert!(
                matches!(outcome, Err(Error::Malformed { .. })),
                "{outcome:?}"
            );
        }
    });
}

#[test]
fn a_fault_between_requests_is_not_lost() {
    let steps = [
        SESSION,
        "read",
        "ok=ready",
        "read",
        "ok=miss",
        "print=oops",
        "serve",
    ];
    let client = running(&steps);
    client.before_build(before()).unwrap();
    let error = client.before_build(before()).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    // The next one gets a fresh process.
    assert_eq!(client.before_build(before()).unwrap(), miss());
}

#[test]
fn a_path_that_json_cannot_express() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let client = running(&[SESSION, "serve"]);
        let path = PathBuf::from(std::ffi::OsString::from_vec(vec![b'/', 0xff]));
        let mut request = after();
        request.files.insert("libfoo.rlib".to_owned(), path);
        assert!(matches!(client.after_build(request), Err(Error::Encode(_))));
        assert_eq!(client.before_build(before()).unwrap(), miss());
    }
}
