//! Says what the hook of a transcript says: `replay-hook --cargo-plugin TRANSCRIPT`. Exits with status 3 when
//! Cargo's side says anything else than in the transcript.
#![expect(
    clippy::unwrap_used,
    reason = "part of a test: whoever starts it sees the panic"
)]

use std::io::BufRead;

use serde_json::Value;

fn main() {
    let transcript = std::env::args_os().nth(2).unwrap();
    let text = std::fs::read_to_string(transcript).unwrap();
    let mut requests = std::io::stdin().lock().lines();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["from"] == "hook" {
            println!("{}", line["message"]);
            continue;
        }
        let request: Value = serde_json::from_str(&requests.next().unwrap().unwrap()).unwrap();
        if request != line["message"] {
            eprintln!("expected `{}`, read `{request}`", line["message"]);
            std::process::exit(3);
        }
    }
}
