//! Every way to be a bad hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hooked_tests::Fault;
use serde_json::{Map, Value, json};

use crate::store::Store;

/// Misbehaves before the hello.
pub(crate) fn at_start(fault: Fault) {
    match fault {
        Fault::ExitsAtOnce => exit(),
        Fault::NoHello => hang(),
        Fault::PlainHello => crate::print("Hello, I am your hook today.\n"),
        _ => {}
    }
}

/// Returns what a bad hook says where a good one says `answer`, if it comes to that.
pub(crate) fn instead(fault: Fault, store: &Store, request: &Value, answer: Value) -> Value {
    match fault {
        Fault::Exits => exit(),
        Fault::Hangs => hang(),
        Fault::Chats => crate::print("By the way, nice weather.\n"),
        Fault::Mutters => eprintln!("the test hook mutters"),
        Fault::Relocates => return relocated(request),
        Fault::HalfLine => {
            crate::print(&half(&answer));
            exit();
        }
        Fault::Malformed => crate::print(&format!("{}\n", half(&answer))),
        Fault::UnknownId => return json!({"id": 4711, "Ok": answer["Ok"]}),
        Fault::WrongKind => return json!({"id": request["id"], "Ok": {"kind": "done"}}),
        Fault::Errs => {
            return json!({
                "id": request["id"],
                "Err": {"kind": "other", "message": "no luck", "caused-by": ["out of luck"]},
            });
        }
        Fault::NoCandidates => {
            return json!({"id": request["id"], "Ok": {"kind": "hit", "candidates": []}});
        }
        Fault::OtherUnit | Fault::DisguisedUnit => {
            let mut found = store.other_than(&request["unit"]["package"]);
            if fault == Fault::DisguisedUnit {
                for field in ["key", "action"] {
                    found["entry"][field] = request["hashes"][field].clone();
                }
            }
            return json!({"id": request["id"], "Ok": {"kind": "hit", "candidates": [found]}});
        }
        _ => return spoilt(fault, store.root(), answer),
    }
    answer
}

/// Claims that every file lies where nothing is.
fn relocated(request: &Value) -> Value {
    let names = request["files"].as_object().unwrap().keys();
    let nowhere: Map<String, Value> = names
        .map(|name| (name.clone(), json!(format!("/nowhere/{name}"))))
        .collect();
    json!({"id": request["id"], "Ok": {"kind": "stored", "relocated": nowhere}})
}

/// Returns a hit with something wrong in each of its candidates. A miss stays one.
fn spoilt(fault: Fault, root: &Path, mut answer: Value) -> Value {
    if let Some(candidates) = answer["Ok"]["candidates"].as_array_mut() {
        for candidate in candidates {
            spoil_files(fault, root, candidate);
            spoil_entry(fault, candidate);
        }
    }
    answer
}

fn spoil_files(fault: Fault, root: &Path, candidate: &mut Value) {
    let files = candidate["files"].as_object_mut().unwrap();
    // The last is a library or a program; a library's `.rmeta` stays good.
    let (name, value) = files
        .iter()
        .next_back()
        .map(|(n, v)| (n.clone(), v.clone()))
        .unwrap();
    let path = PathBuf::from(value.as_str().unwrap());
    let flat = name.replace('/', "-");
    let other = root.join(format!(".other-{}-{flat}", std::process::id()));
    let _ = fs::remove_file(&other);
    match fault {
        Fault::MissingFile => {}
        Fault::Directory => fs::create_dir_all(&other).unwrap(),
        Fault::Pipe => {
            let made = std::process::Command::new("mkfifo")
                .arg(&other)
                .status()
                .unwrap();
            assert!(made.success());
        }
        Fault::SymlinkLoop => {
            #[cfg(unix)]
            std::os::unix::fs::symlink(&other, &other).unwrap();
        }
        Fault::RelativePath => {
            files[&name] = json!(path.file_name().unwrap().to_str());
            std::env::set_current_dir(path.parent().unwrap()).unwrap();
            return;
        }
        Fault::WrongDigest => {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&other, bytes).unwrap();
        }
        Fault::Truncated => {
            let mut bytes = fs::read(&path).unwrap();
            bytes.pop();
            fs::write(&other, bytes).unwrap();
        }
        _ => return,
    }
    files[&name] = json!(other);
}

fn spoil_entry(fault: Fault, candidate: &mut Value) {
    let files = candidate["files"].as_object().unwrap();
    let (name, path) = files
        .iter()
        .next_back()
        .map(|(n, v)| (n.clone(), v.clone()))
        .unwrap();
    let extra = match fault {
        Fault::Escape => "../../escaped.txt",
        Fault::EscapeFolder => "out-dir/../escaped.txt",
        _ => "extra.txt",
    };
    match fault {
        Fault::ExtraOutput | Fault::Escape | Fault::EscapeFolder => {
            candidate["files"][extra] = path;
            candidate["entry"]["files"][extra] = candidate["entry"]["files"][&name].clone();
        }
        Fault::EscapeLink => {
            candidate["entry"]["tree"]["links"]["out-dir/link"] = json!("../../escaped.txt");
        }
        Fault::DisguisedLink => {
            let links = &mut candidate["entry"]["tree"]["links"];
            *links = json!({"out-dir/link": ".", "out-dir/link/other": ".."});
        }
        Fault::ExtraFile => candidate["files"][extra] = path,
        Fault::TooFewOutputs => {
            candidate["entry"]["files"]
                .as_object_mut()
                .unwrap()
                .remove(&name);
            candidate["files"].as_object_mut().unwrap().remove(&name);
        }
        Fault::TooFewFiles => {
            candidate["files"].as_object_mut().unwrap().remove(&name);
        }
        Fault::OtherAction => {
            candidate["entry"]["action"] = json!(format!("blake3:{}", "0".repeat(64)))
        }
        Fault::OtherKey | Fault::OtherSources => {
            let other = json!(format!("blake3:{}", "0".repeat(64)));
            if fault == Fault::OtherSources {
                candidate["entry"]["inputs"]["files"][0]["digest"] = other.clone();
            }
            candidate["entry"]["key"] = other;
        }
        Fault::OtherFormat => candidate["entry"]["format"] = json!(99),
        Fault::NotAnEntry => candidate["entry"] = json!("an entry"),
        Fault::ErrorMessage => slip_in(
            candidate,
            &json!({
                "$message_type": "diagnostic", "message": "injected", "code": null, "level": "error",
                "spans": [], "children": [], "rendered": "error: injected\n\n",
            }),
        ),
        Fault::ArtifactMessage => slip_in(
            candidate,
            &json!({
                "$message_type": "artifact", "artifact": "/nowhere/libinjected.rmeta", "emit": "metadata",
            }),
        ),
        _ => {}
    }
}

fn slip_in(candidate: &mut Value, message: &Value) {
    // Braces are doubled in an entry, since `{name}` stands for a place.
    let line = json!(message.to_string().replace('{', "{{"));
    let entry = candidate["entry"].as_object_mut().unwrap();
    entry
        .entry("messages")
        .or_insert(json!([]))
        .as_array_mut()
        .unwrap()
        .push(line);
}

fn half(answer: &Value) -> String {
    let text = answer.to_string();
    text[..text.len() / 2].to_owned()
}

fn exit() -> ! {
    eprintln!("the test hook has had enough");
    std::process::exit(3);
}

/// Hangs until whoever started the hook is gone: nothing may outlive the tests.
fn hang() -> ! {
    #[cfg(unix)]
    let parent = std::os::unix::process::parent_id();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        #[cfg(unix)]
        if std::os::unix::process::parent_id() != parent {
            std::process::exit(4);
        }
    }
}
