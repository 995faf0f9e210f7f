//! [`Process`]: a running hook as three threads and a stream of lines. Knows nothing of what the
//! lines mean, never blocks a caller on the hook's willingness to read or write, and leaves no
//! zombie behind.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Command, MAX_LINE};
use crate::lock;

/// How long a process that closed a pipe may take to end, so that its exit status can be told.
const GRACE: Duration = Duration::from_millis(200);

/// How often the exit of a process is looked for. The standard library can wait for it only
/// without end.
const POLL: Duration = Duration::from_millis(1);

/// How much of what a process wrote to its standard error is kept.
const TAIL_LINES: usize = 20;
const TAIL_LINE_BYTES: usize = 500;

/// What comes from a process.
pub(super) enum Event {
    /// A line of its standard output, without the line end.
    Line(Vec<u8>),
    /// A line of its standard output passed [`MAX_LINE`].
    TooLong,
    /// Its standard output has ended, or its standard input is closed.
    Closed,
}

/// A running hook. Clones are the same process.
#[derive(Clone)]
pub(super) struct Process(Arc<Inner>);

struct Inner {
    child: Mutex<Child>,
    /// The queue of the writer; absent when the standard input is to be closed.
    lines: Mutex<Option<Sender<Vec<u8>>>>,
    tail: Mutex<Tail>,
}

#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    ended: bool,
}

impl Process {
    /// Starts `command`; everything that comes from it is given to `on_event`, on other threads.
    pub(super) fn start(
        command: &Command,
        on_event: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<Process> {
        let mut child = command.to_std().spawn()?;
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (sender, lines) = mpsc::channel();
        let process = Process(Arc::new(Inner {
            child: Mutex::new(child),
            lines: Mutex::new(Some(sender)),
            tail: Mutex::default(),
        }));
        let on_event = Arc::new(on_event);
        let threads = [
            spawn("hook-stdin", {
                let on_event = Arc::clone(&on_event);
                move || write_lines(stdin, &lines, &*on_event)
            }),
            spawn("hook-stderr", {
                let process = process.clone();
                move || process.read_stderr(stderr)
            }),
            spawn("hook-stdout", move || read_lines(stdout, &*on_event)),
        ];
        for thread in threads {
            thread.inspect_err(|_| process.kill())?;
        }
        Ok(process)
    }

    /// Queues a line, which must end with a line end. Never blocks.
    pub(super) fn send(&self, line: Vec<u8>) {
        if let Some(lines) = &*lock(&self.0.lines) {
            // The writer is gone only if the pipe is closed, and then it has said so.
            let _ = lines.send(line);
        }
    }

    /// Closes the standard input once all queued lines are written.
    pub(super) fn close_stdin(&self) {
        lock(&self.0.lines).take();
    }

    /// Ends the process, however it feels about it.
    pub(super) fn kill(&self) {
        self.close_stdin();
        let _ = lock(&self.0.child).kill();
        if self.wait(GRACE).is_none() {
            // It sleeps in the kernel, on a dead network drive for instance.
            let process = self.clone();
            let _ = spawn("hook-reaper", move || process.wait(Duration::MAX));
        }
    }

    /// Returns how the process ended, waiting for it `within` at most.
    pub(super) fn wait(&self, within: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = lock(&self.0.child).try_wait() {
                return Some(status);
            }
            if start.elapsed() >= within {
                return None;
            }
            thread::sleep(POLL);
        }
    }

    /// Returns the exit status of a process that has closed a pipe, if it really ends.
    pub(super) fn wait_briefly(&self) -> Option<ExitStatus> {
        self.wait(GRACE)
    }

    /// Returns the last lines that the process wrote to its standard error.
    ///
    /// If it has ended, whatever is still in the pipe is waited for, though not for long: some
    /// other process may hold the pipe open.
    pub(super) fn stderr(&self) -> String {
        let start = Instant::now();
        let ended = self.wait(Duration::ZERO).is_some();
        while ended && !lock(&self.0.tail).ended && start.elapsed() < GRACE {
            thread::sleep(POLL);
        }
        Vec::from(lock(&self.0.tail).lines.clone()).join("\n")
    }

    fn read_stderr(&self, stderr: impl Read) {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        loop {
            line.clear();
            // A line without end must not fill the memory: it is cut into several.
            match (&mut stderr).take(64 * 1024).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let text = super::excerpt(&line, TAIL_LINE_BYTES);
            tracing::debug!(target: "cargo::hooks", "stderr: {text}");
            let mut tail = lock(&self.0.tail);
            if tail.lines.len() == TAIL_LINES {
                tail.lines.pop_front();
            }
            tail.lines.push_back(text);
        }
        lock(&self.0.tail).ended = true;
    }
}

impl Command {
    fn to_std(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.arg("--cargo-plugin").args(&self.args);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>, on_event: &impl Fn(Event)) {
    for line in lines {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            // Usually the process has ended. Its last words, a more telling error maybe, are still
            // in the other pipe: let them go first.
            thread::sleep(GRACE);
            on_event(Event::Closed);
            return;
        }
    }
}

fn read_lines(stdout: impl Read, on_event: &impl Fn(Event)) {
    let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
    loop {
        let mut line = Vec::new();
        match (&mut stdout)
            .take(MAX_LINE as u64 + 1)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return on_event(Event::Closed),
            Ok(_) if line.len() > MAX_LINE => return on_event(Event::TooLong),
            Ok(_) => {
                line.pop_if(|end| *end == b'\n');
                on_event(Event::Line(line));
            }
        }
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}
