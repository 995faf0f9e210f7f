//! [`Process`]: a hook that runs, line by line. Whatever it does, no call here blocks for ever.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Why there is no message.
pub type Broken = String;

/// A running hook. It is killed when it is dropped.
pub struct Process {
    child: Child,
    /// Lines to be written: by a thread, so that a hook that does not read cannot block.
    requests: Option<Sender<Vec<u8>>>,
    lines: Receiver<Vec<u8>>,
    timeout: Duration,
}

impl Process {
    /// Starts a hook as Cargo does: `--cargo-plugin` comes before the other arguments.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(command: &[OsString], timeout: Duration) -> Result<Process, Broken> {
        let (program, arguments) = command.split_first().ok_or("there is no command")?;
        let mut child = Command::new(program)
            .arg("--cargo-plugin")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| format!("failed to start `{}`: {error}", program.display()))?;
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let (requests, queue) = mpsc::channel();
        thread::spawn(move || write(stdin, &queue));
        let (sender, lines) = mpsc::sync_channel(0);
        // Without a buffer: what nobody asks for stays in the pipe.
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            loop {
                let mut line = Vec::new();
                match reader.read_until(b'\n', &mut line) {
                    Ok(read) if read > 0 && sender.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        Ok(Process {
            child,
            requests: Some(requests),
            lines,
            timeout,
        })
    }

    /// Sends a message.
    pub fn send(&self, message: &Value) {
        self.send_bytes(format!("{message}\n").into_bytes());
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&self, bytes: Vec<u8>) {
        if let Some(requests) = &self.requests {
            // That nobody reads shows by what does not come back.
            let _ = requests.send(bytes);
        }
    }

    /// Returns the next message. Empty lines are none.
    ///
    /// # Errors
    ///
    /// If none comes in time, or something that is none.
    pub fn message(&self) -> Result<Value, Broken> {
        loop {
            // An empty line is a sign of life.
            let line = match self.lines.recv_timeout(self.timeout) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    let waited = self.timeout.as_secs_f32();
                    return Err(format!("nothing came for {waited} s"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("it closed its standard output".to_owned());
                }
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            if line.last() != Some(&b'\n') {
                return Err(format!("half a line: `{}`", shown(&line)));
            }
            return match serde_json::from_slice(&line) {
                Ok(value @ Value::Object(_)) => Ok(value),
                _ => Err(format!("a line that is no JSON object: `{}`", shown(&line))),
            };
        }
    }

    /// Returns what still comes until standard output is closed.
    ///
    /// # Errors
    ///
    /// If it is not closed in time.
    pub fn rest(&self) -> Result<Vec<u8>, Broken> {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(self.timeout) {
                Ok(line) => rest.extend(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(rest),
                Err(RecvTimeoutError::Timeout) => {
                    return Err("it does not close its standard output".to_owned());
                }
            }
        }
    }

    /// Closes standard input, and waits until the hook has exited.
    ///
    /// # Errors
    ///
    /// If it goes on.
    pub fn hang_up(&mut self) -> Result<ExitStatus, Broken> {
        self.requests = None;
        self.exit()
    }

    /// Waits until the hook has exited.
    ///
    /// # Errors
    ///
    /// If it goes on.
    pub fn exit(&mut self) -> Result<ExitStatus, Broken> {
        let deadline = Instant::now() + self.timeout;
        loop {
            // What it still says must not keep it from ending.
            let _ = self.lines.recv_timeout(Duration::from_millis(5));
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                Ok(None) => {
                    let waited = self.timeout.as_secs_f32();
                    return Err(format!("it still runs {waited} s later"));
                }
                Err(error) => return Err(format!("failed to wait for it: {error}")),
            }
        }
    }

    /// Kills the hook.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn write(mut stdin: ChildStdin, queue: &Receiver<Vec<u8>>) {
    while let Ok(bytes) = queue.recv() {
        if stdin
            .write_all(&bytes)
            .and_then(|()| stdin.flush())
            .is_err()
        {
            return;
        }
    }
}

/// Returns the beginning of a line for people.
fn shown(line: &[u8]) -> String {
    let mut text = String::new();
    let _ = line.take(120).read_to_string(&mut text);
    let text = if text.is_empty() {
        String::from_utf8_lossy(&line[..line.len().min(120)]).into_owned()
    } else {
        text
    };
    text.trim_end().escape_debug().to_string()
}
