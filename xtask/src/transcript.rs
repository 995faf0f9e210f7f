//! What a Cargo prints while it runs, line by line, and when.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::process;

/// What a run printed.
pub(crate) struct Transcript {
    /// Standard output: messages for machines, or what tests say.
    pub(crate) stdout: Vec<Line>,
    /// Standard error: what people read.
    pub(crate) stderr: Vec<Line>,
    /// Whether the exit status was good.
    pub(crate) succeeded: bool,
}

/// A line, and when it was read.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) time: SystemTime,
}

impl Transcript {
    /// Runs a program to its end, with no input; a bad exit status is no error.
    pub(crate) fn of(command: &mut Command) -> Result<Transcript> {
        Transcript::read(start(command)?)
    }

    /// Reads all that a program of [`start`] prints, and waits for its end.
    pub(crate) fn read(mut child: Child) -> Result<Transcript> {
        let stderr = child.stderr.take().context("failed to read from Cargo")?;
        let stdout = child.stdout.take().context("failed to read from Cargo")?;
        let stderr = thread::spawn(move || lines(stderr));
        let stdout = lines(stdout)?;
        let stderr = stderr.join().expect("reading lines does not panic")?;
        let status = child.wait().context("failed to wait for Cargo")?;
        Ok(Transcript {
            stdout,
            stderr,
            succeeded: status.success(),
        })
    }

    /// Returns the part that says what went wrong.
    pub(crate) fn errors(&self) -> Vec<String> {
        const SHOWN: usize = 20;
        let messages = self.stdout.iter().filter_map(|it| {
            let message: serde_json::Value = serde_json::from_str(&it.text).ok()?;
            let message = message.get("message")?;
            let is_error = message.get("level")? == "error";
            is_error.then(|| message["rendered"].as_str().unwrap_or_default().to_string())
        });
        let lines = self.stderr.iter().map(|it| it.text.clone());
        let is_quiet = |line: &String| !line.trim_start().starts_with("Running `");
        let lines: Vec<String> = lines.filter(is_quiet).collect();
        let last = lines.len().saturating_sub(SHOWN);
        messages.chain(lines[last..].iter().cloned()).collect()
    }
}

/// Starts a program whose output [`Transcript::read`] reads.
pub(crate) fn start(command: &mut Command) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    process::spawn(command)
}

/// Reads lines; what is not UTF-8 is replaced.
fn lines(stream: impl Read) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for line in BufReader::new(stream).split(b'\n') {
        let line = line.context("failed to read from Cargo")?;
        lines.push(Line {
            text: String::from_utf8_lossy(&line).into_owned(),
            time: SystemTime::now(),
        });
    }
    Ok(lines)
}
