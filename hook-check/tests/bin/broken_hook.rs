//! A hook that keeps every rule but one: `broken-hook --cargo-plugin STORE [FAULT]`. Speaks JSON by hand, so that it
//! shares no mistake with the SDK.
#![expect(
    clippy::unwrap_used,
    reason = "part of a test: whoever starts it sees the panic"
)]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

fn main() {
    let mut args = std::env::args().skip(1);
    assert_eq!(args.next().as_deref(), Some("--cargo-plugin"));
    let hook = Broken {
        store: args.next().unwrap().into(),
        fault: args.next().unwrap_or_default(),
    };
    if hook.has("no-hello") {
        thread::sleep(Duration::from_secs(60));
    }
    hook.hello();
    hook.serve();
    if hook.has("survives-end-of-input") {
        thread::sleep(Duration::from_secs(60));
    }
}

struct Broken {
    store: PathBuf,
    fault: String,
}

impl Broken {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn hello(&self) {
        let name = match self.has("other-name") {
            true => format!("broken {}", std::process::id()),
            false => "broken".to_owned(),
        };
        let mut capabilities = vec!["before-build", "after-build", "session", "concurrent"];
        if self.has("one-shot") {
            capabilities.truncate(2);
        }
        let v = if self.has("other-version") { 2 } else { 1 };
        self.say(&json!({"v": [v], "name": name, "capabilities": capabilities}));
    }

    fn serve(&self) {
        let mut requests = std::io::stdin().lock();
        let mut count = 0;
        loop {
            let mut line = Vec::new();
            let read = requests.read_until(b'\n', &mut line).unwrap();
            let is_half = line.last() != Some(&b'\n');
            if read == 0 || is_half && !self.has("waits-for-the-line") {
                return;
            }
            if is_half {
                thread::sleep(Duration::from_secs(60));
            }
            assert!(!self.has("short-lines") || line.len() < 1 << 20);
            let request: Value = serde_json::from_slice(&line).unwrap();
            count += 1;
            if self.has("forgets-one") && count == 1500 {
                continue;
            }
            let is_last = request["kind"] == "end";
            let said = self.answer(&request);
            let said = match said {
                Ok(answer) => json!({"id": request["id"], "Ok": answer}),
                Err(kind) => json!({"id": request["id"], "Err": {"kind": kind, "message": "x"}}),
            };
            self.say(&said);
            if self.has("answers-twice") && count > 10 {
                self.say(&said);
            }
            if is_last {
                if self.has("clears-its-store") {
                    fs::remove_dir_all(&self.store).unwrap();
                }
                if self.has("goodbye") {
                    println!("goodbye");
                }
                if self.has("stays") {
                    thread::sleep(Duration::from_secs(60));
                }
                return;
            }
            if self.has("one-shot") {
                return;
            }
        }
    }

    fn answer(&self, request: &Value) -> Result<Value, &'static str> {
        if self.has("strict") && request.get("of-a-later-cargo").is_some() {
            return Err("other");
        }
        match request["kind"].as_str().unwrap() {
            "begin" => Ok(json!({"kind": "ready"})),
            "before-build" => self.before(request),
            "after-build" => self.after(request),
            "end" => Ok(json!({"kind": "done"})),
            _ if self.has("dies-of-the-new") => std::process::exit(3),
            _ => Err("not-supported"),
        }
    }

    fn folder(&self, request: &Value) -> PathBuf {
        let hashes = &request["hashes"];
        let key = match self.has("by-name") {
            true => request["unit"]["package"].to_string().replace('/', "-"),
            false if self.has("by-action") => hashes["action"].to_string(),
            false => hashes["key"].to_string(),
        };
        self.store.join(key.replace(['"', ':', ' '], ""))
    }

    fn before(&self, request: &Value) -> Result<Value, &'static str> {
        let folder = self.folder(request);
        let Ok(entry) = fs::read_to_string(folder.join("entry.json")) else {
            return match self.has("miss-is-an-error") {
                true => Err("other"),
                false => Ok(json!({"kind": "miss", "reason": "nothing"})),
            };
        };
        let mut entry: Value = serde_json::from_str(&entry).unwrap();
        let paths: HashMap<String, String> =
            serde_json::from_slice(&fs::read(folder.join("paths.json")).unwrap()).unwrap();
        let mut files = json!({});
        for name in entry["files"].as_object().unwrap().keys() {
            let stored = folder.join("files").join(name);
            let path = match self.fault.as_str() {
                "keeps-no-copy" => PathBuf::from(&paths[name]),
                "relative" => Path::new("files").join(name),
                _ => stored,
            };
            files[name] = json!(path);
        }
        match self.fault.as_str() {
            "edits-entries" => entry["local-only"] = json!(true),
            "leaves-out-a-file" => {
                let files = files.as_object_mut().unwrap();
                let first = files.keys().next().unwrap().clone();
                files.remove(&first);
            }
            "supplies-a-link" => {
                for path in files.as_object_mut().unwrap().values_mut() {
                    let link = format!("{}-link", path.as_str().unwrap());
                    let _ = std::os::unix::fs::symlink(path.as_str().unwrap(), &link);
                    *path = json!(link);
                }
            }
            _ => {}
        }
        let candidate = json!({
            "entry": entry, "files": files, "placement": "copy", "lifetime": "durable",
        });
        Ok(json!({"kind": "hit", "candidates": [candidate]}))
    }

    fn after(&self, request: &Value) -> Result<Value, &'static str> {
        let folder = self.folder(request);
        if folder.exists() && self.has("keeps-the-old") {
            return Ok(json!({"kind": "stored"}));
        }
        let new = self.store.join(format!("new-{}", std::process::id()));
        let _ = fs::remove_dir_all(&new);
        let place = match self.has("in-place") {
            true => &folder,
            false => &new,
        };
        fs::create_dir_all(place.join("files")).unwrap();
        let write = |name: &str, content: &Value| {
            fs::write(place.join(name), content.to_string()).unwrap();
        };
        let names = request["entry"]["files"].as_object().unwrap();
        if self.has("in-place") {
            write("entry.json", &request["entry"]);
            write("paths.json", &request["files"]);
            thread::sleep(Duration::from_millis(5));
        }
        let mut relocated = json!({});
        for (name, path) in request["files"].as_object().unwrap() {
            let path = path.as_str().unwrap();
            let Ok(content) = fs::read(path) else {
                match self.fault.as_str() {
                    "dies-of-the-missing" => std::process::exit(3),
                    "stores-the-missing" => continue,
                    _ => return Ok(json!({"kind": "declined"})),
                }
            };
            let size = names[name]["size"].as_u64().unwrap();
            let digest = hook_protocol::Digest::of(&content).to_string();
            let is_right = size == content.len() as u64 && names[name]["digest"] == digest;
            if !is_right && !self.has("checks-nothing") {
                return Ok(json!({"kind": "declined"}));
            }
            let to = place.join("files").join(name);
            if self.has("flat-names") && name.contains('/') {
                std::process::exit(3);
            }
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(&to, &content).unwrap();
            if self.has("touches") {
                let file = fs::File::options().append(true).open(path).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            }
            relocated[name] = match self.has("relocates-nowhere") {
                true => json!("/nowhere/at/all"),
                false => json!(folder.join("files").join(name)),
            };
        }
        if !self.has("in-place") {
            write("entry.json", &request["entry"]);
            write("paths.json", &request["files"]);
            let _ = fs::remove_dir_all(&folder);
            fs::rename(&new, &folder).unwrap();
        }
        Ok(json!({"kind": "stored", "relocated": relocated}))
    }

    fn say(&self, message: &Value) {
        let mut text = format!("{message}\n");
        if self.has("chats") && message.get("Ok").is_some() {
            text.insert_str(0, "let me see ...\n");
        }
        let mut stdout = std::io::stdout().lock();
        let _ = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
    }
}
