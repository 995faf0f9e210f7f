//! Composes hooks: `cargo-hook-filter-stack --cargo-plugin STACK.toml`.
//!
//! Cargo has no stacks of hooks, and needs none: this is a hook to Cargo, and a Cargo to other hooks.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

mod config;
mod stack;

use config::Config;
use stack::{Said, Stack};

/// How long Cargo waits if it does not say.
const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let (flag, file) = (args.next(), args.next());
    if flag.is_none_or(|it| it != "--cargo-plugin") || args.next().is_some() {
        bail!("this is a hook: Cargo starts it, with the file of a stack as its argument");
    }
    let file = file.or_else(|| std::env::var_os("FILTER_STACK"));
    let file = PathBuf::from(file.context("no file is given, nor does `FILTER_STACK` name one")?);
    let config = Config::read(&file)?;
    say(&json!({
        "v": [hook_protocol::wire::PROTOCOL_VERSION],
        "name": "filter-stack",
        "capabilities": ["before-build", "after-build", "session", "concurrent"],
    }));
    serve(&config, file.parent().unwrap_or(Path::new(".")))
}

/// Answers requests until the end. Each has a thread: it may have to wait for others, and they for it.
fn serve(config: &Config, folder: &Path) -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let begin = loop {
        let Some(line) = lines.next() else {
            return Ok(());
        };
        let line = line?;
        if !line.trim().is_empty() {
            break serde_json::from_str::<Value>(&line)?;
        }
    };
    let timeout = begin["timeout-ms"]
        .as_u64()
        .map_or(TIMEOUT, Duration::from_millis);
    let jobs = begin["jobs"].as_u64().and_then(|it| it.try_into().ok());
    // A filter must have failed before Cargo takes its silence for ours.
    let stack = Stack::new(config, folder, timeout / 2, jobs.unwrap_or(4))?;
    let beat = Beat::default();
    let answer = |request: Value| {
        let _open = Open(&beat);
        reply(&request, stack.answer(&request));
    };
    let answer = &answer;
    thread::scope(|scope| {
        let _over = Over(&beat);
        scope.spawn(|| beat.go_on(timeout / 8));
        beat.open.fetch_add(1, Ordering::Relaxed);
        answer(begin);
        let mut last = None;
        for line in lines {
            let Ok(line) = line else { break };
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Value>(&line) {
                Ok(request) if request["kind"] == "end" => {
                    last = Some(request);
                    break;
                }
                Ok(request) => {
                    beat.open.fetch_add(1, Ordering::Relaxed);
                    scope.spawn(move || answer(request));
                }
                // What is no request has no answer: Cargo has gone in the middle of a line.
                Err(_) => break,
            }
        }
        while last.is_some() && beat.open.load(Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        if let Some(end) = last {
            reply(&end, stack.end(&end, timeout / 2));
        }
        // Filters are processes of ours: they end when nobody asks them any more.
        drop(stack.end(&json!({"kind": "end", "summary": {}}), Duration::ZERO));
    });
    Ok(())
}

/// Shows Cargo that the stack is at work while filters take their time, which they may: each is watched here.
#[derive(Default)]
struct Beat {
    open: AtomicUsize,
    is_over: AtomicBool,
}

/// A request that is open until this is dropped, whatever becomes of it.
struct Open<'a>(&'a Beat);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends the beat when this is dropped.
struct Over<'a>(&'a Beat);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Beat {
    fn go_on(&self, every: Duration) {
        let step = Duration::from_millis(20).min(every);
        let mut waited = Duration::ZERO;
        while !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(step);
            waited += step;
            if waited >= every {
                waited = Duration::ZERO;
                if self.open.load(Ordering::Relaxed) > 0 {
                    print("\n");
                }
            }
        }
    }
}

fn reply(request: &Value, said: Said) {
    let id = &request["id"];
    say(&match said {
        Ok(answer) => json!({"id": id, "Ok": answer}),
        Err(error) => json!({"id": id, "Err": error}),
    });
}

fn say(message: &Value) {
    print(&format!("{message}\n"));
}

/// Prints in one piece. That Cargo has gone shows by the end of the input.
fn print(text: &str) {
    static OUT: Mutex<()> = Mutex::new(());
    let _guard = OUT.lock();
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
