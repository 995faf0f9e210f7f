//! A hook for tests: a store in a folder, a log of what it was asked, and every way to be a bad hook.
//! Knows nothing of the crates that it tests.
//!
//! ```text
//! test-hook --cargo-plugin --store FOLDER --log FILE [--name NAME] [--capabilities A,B]
//!           [--fault FAULT [--at KIND] [--unit PACKAGE] [--mode MODE]] [--edit FILE --text TEXT]
//! ```
//!
//! Without the capability `session` it answers one request and exits.
//!
//! A fault shows at every request of the kind `--at` (default: `before-build`), or only at those about
//! the package `--unit`, or about units of the mode `--mode`. At the same requests a file is edited before they are answered.
#![expect(
    clippy::unwrap_used,
    reason = "part of a test: whoever starts it sees the panic"
)]

mod misbehave;
mod store;

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use hooked_tests::Fault;
use serde_json::{Value, json};

use crate::store::Store;

/// What the command line asks for.
struct Options {
    store: Store,
    log: PathBuf,
    name: String,
    capabilities: Vec<String>,
    fault: Option<Fault>,
    at: String,
    unit: Option<String>,
    mode: Option<String>,
    edit: Option<PathBuf>,
    text: String,
}

fn main() {
    let options = Options::read();
    options.log(&json!({"kind": "start"}));
    if let Some(fault) = options.fault {
        misbehave::at_start(fault);
    }
    let version = if options.fault == Some(Fault::OtherVersion) {
        2
    } else {
        1
    };
    say(&json!({"v": [version], "name": options.name, "capabilities": options.capabilities}));
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        options.log(&request);
        let answer = options.answer(&request);
        if let Some(file) = options.edit.as_ref().filter(|_| options.concerns(&request)) {
            std::fs::write(file, &options.text).unwrap();
        }
        match options.fault_at(&request) {
            Some(Fault::Forgets) => continue,
            Some(fault) => say(&misbehave::instead(fault, &options.store, &request, answer)),
            None => say(&answer),
        }
        if request["kind"] == "end" || !options.capabilities.contains(&"session".to_owned()) {
            return;
        }
    }
}

impl Options {
    fn read() -> Options {
        let mut args = std::env::args().skip(1);
        assert_eq!(args.next().as_deref(), Some("--cargo-plugin"));
        let mut options = Options {
            store: Store::default(),
            log: PathBuf::new(),
            name: "test-hook".to_owned(),
            capabilities: words("before-build,after-build,session,concurrent"),
            fault: None,
            at: "before-build".to_owned(),
            unit: None,
            mode: None,
            edit: None,
            text: String::new(),
        };
        while let Some(flag) = args.next() {
            let value = args.next().unwrap();
            match flag.as_str() {
                "--store" => options.store = Store::new(value),
                "--log" => options.log = value.into(),
                "--name" => options.name = value,
                "--capabilities" => options.capabilities = words(&value),
                "--fault" => options.fault = Some(value.parse().unwrap()),
                "--at" => options.at = value,
                "--unit" => options.unit = Some(value),
                "--mode" => options.mode = Some(value),
                "--edit" => options.edit = Some(value.into()),
                "--text" => options.text = value,
                _ => panic!("unknown flag `{flag}`"),
            }
        }
        options
    }

    /// Returns what a good hook would say.
    fn answer(&self, request: &Value) -> Value {
        let answer = match request["kind"].as_str().unwrap() {
            "begin" => json!({"kind": "ready"}),
            "before-build" => match self.store.candidates(&request["hashes"]["key"]) {
                candidates if candidates.is_empty() => json!({"kind": "miss"}),
                candidates => json!({"kind": "hit", "candidates": candidates}),
            },
            "after-build" => {
                self.store.keep(request);
                json!({"kind": "stored"})
            }
            "end" => json!({"kind": "done"}),
            kind => panic!("unknown request `{kind}`"),
        };
        json!({"id": request["id"], "Ok": answer})
    }

    fn fault_at(&self, request: &Value) -> Option<Fault> {
        self.fault.filter(|_| self.concerns(request))
    }

    /// Returns whether a request is of the kind, and about the package and mode, that the flags name.
    fn concerns(&self, request: &Value) -> bool {
        let is_about = |field: &str, wanted: &Option<String>| {
            let unit = &request["unit"];
            wanted.as_ref().is_none_or(|wanted| unit[field] == **wanted)
        };
        let kind = request["kind"] == *self.at;
        kind && is_about("package", &self.unit) && is_about("mode", &self.mode)
    }

    /// Appends a line to the log, in one piece: several hooks may write it.
    fn log(&self, line: &Value) {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        log.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}

fn say(line: &Value) {
    print(&format!("{line}\n"));
}

/// Prints, and does not mind if nobody listens any more.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
