//! A hook that does what its arguments say, one step after the other: every way to be a bad hook is
//! a line in a test. Knows nothing of the library that it tests.
//!
//! ```text
//! hello=A,B      says hello with these capabilities, in version 1
//! print=TEXT     prints a line; `{id}` in it is the id of the latest request
//! raw=TEXT       prints without a line end
//! stderr=TEXT    prints a line to standard error
//! read           reads a request; exits if there is none
//! ok=KIND        answers the latest request with an `Ok` of this kind
//! serve          reads and answers requests for ever, in order
//! serve=MS       the same, but takes its time
//! swap           reads two requests, answers the second one first
//! long=BYTES     answers `miss` with a reason of this length
//! endless=BYTES  prints so many bytes and no line end
//! sleep=MS       waits
//! log=PATH       appends a line to a file
//! exit=CODE      exits
//! sh=SCRIPT      becomes a shell
//! ```
#![expect(
    clippy::unwrap_used,
    reason = "part of a test: whoever starts it sees the panic"
)]

use std::io::Write;
use std::time::Duration;

fn main() {
    let mut args = std::env::args().skip(1);
    assert_eq!(args.next().as_deref(), Some("--cargo-plugin"));
    let mut id = 0;
    for step in args {
        let (verb, rest) = step.split_once('=').unwrap_or((&step, ""));
        match verb {
            "hello" => say(&hello(rest)),
            "print" => say(&rest.replace("{id}", &id.to_string())),
            "raw" => raw(rest.as_bytes()),
            "stderr" => eprintln!("{rest}"),
            "read" => id = read().0,
            "ok" => answer(id, rest),
            "serve" => loop {
                let (id, kind) = read();
                std::thread::sleep(Duration::from_millis(rest.parse().unwrap_or(0)));
                answer(id, kind);
            },
            "swap" => {
                let first = read();
                let second = read();
                answer(second.0, second.1);
                answer(first.0, first.1);
            }
            "long" => {
                let reason = "x".repeat(rest.parse().unwrap());
                say(&format!(
                    r#"{{"id":{id},"Ok":{{"kind":"miss","reason":"{reason}"}}}}"#
                ));
            }
            "endless" => raw(&vec![b'x'; rest.parse().unwrap()]),
            "sleep" => std::thread::sleep(Duration::from_millis(rest.parse().unwrap())),
            "log" => {
                let file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(rest);
                file.unwrap().write_all(b"started\n").unwrap();
            }
            "exit" => std::process::exit(rest.parse().unwrap()),
            #[cfg(unix)]
            "sh" => {
                use std::os::unix::process::CommandExt;
                panic!(
                    "{}",
                    std::process::Command::new("sh").arg("-c").arg(rest).exec()
                );
            }
            _ => panic!("unknown step `{step}`"),
        }
    }
}

fn hello(capabilities: &str) -> String {
    let quoted: Vec<String> = capabilities
        .split(',')
        .map(|it| format!(r#""{it}""#))
        .collect();
    format!(
        r#"{{"v":[1],"name":"faulty","capabilities":[{}]}}"#,
        quoted.join(",")
    )
}

/// Returns the id of the next request, and the kind of its most boring answer.
fn read() -> (u64, &'static str) {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).unwrap() == 0 {
        std::process::exit(0);
    }
    let request: serde_json::Value = serde_json::from_str(&line).unwrap();
    let kind = match request["kind"].as_str().unwrap() {
        "begin" => "ready",
        "before-build" => "miss",
        "after-build" => "stored",
        _ => "done",
    };
    (request["id"].as_u64().unwrap(), kind)
}

fn answer(id: u64, kind: &str) {
    say(&format!(r#"{{"id":{id},"Ok":{{"kind":"{kind}"}}}}"#));
}

fn say(line: &str) {
    raw(format!("{line}\n").as_bytes());
}

/// A hook whose reader has gone just goes too: the tests look at the reader's side.
fn raw(text: &[u8]) {
    let mut stdout = std::io::stdout();
    if stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .is_err()
    {
        std::process::exit(0);
    }
}
