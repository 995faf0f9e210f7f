//! [`serve`]: the protocol, as spoken by a [`Hook`].

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BoxError, Hook, Keep, Lookup, NotSupported};
use crate::lock;
use crate::wire::{
    Answer, BeforeBuild, Capability, Declined, ErrorKind, Hello, Hit, HookError, Miss,
    PROTOCOL_VERSION, Request, Response, Stored,
};

/// How many requests [`main`] answers at once, at most. They are mostly about files: more threads
/// than processors help, but not many more.
const MAX_THREADS: usize = 16;

/// How long calls may go on when Cargo is gone: enough to finish a file, and nobody waits for more.
const GRACE: Duration = Duration::from_secs(2);

/// Serves `hook` on the standard streams: the whole `main` of a hook.
///
/// If Cargo is interrupted, the calls that go on are given two seconds; then the process exits, with status 0, whatever
/// they do. So nothing that a hook does may depend on being finished: files are written under a temporary name and
/// renamed, as [`files`](crate::files) does.
///
/// Exits with status 2 if the program was not started by Cargo, and with 1 if the pipes fail or
/// something comes that is no request.
pub fn main(hook: impl Hook) {
    if std::env::args_os()
        .nth(1)
        .is_none_or(|arg| arg != "--cargo-plugin")
    {
        let name = hook.name();
        eprintln!("error: `{name}` is a hook: Cargo starts it, as `[hooks]` in its config tells");
        std::process::exit(2);
    }
    let threads = thread::available_parallelism()
        .map_or(4, |it| it.get() * 2)
        .min(MAX_THREADS);
    let leave = || {
        thread::spawn(|| {
            thread::sleep(GRACE);
            std::process::exit(0);
        });
    };
    if let Err(error) = serve_until(&hook, io::stdin().lock(), io::stdout(), threads, leave) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

/// Speaks the protocol for `hook`: says hello, and answers the requests from `reader` on up to
/// `threads` threads (one, if the hook is not concurrent) until the session or the input ends.
///
/// # Errors
///
/// If reading or writing fails, or a line is no request. An error or a panic of the hook is none:
/// it goes to Cargo as an answer.
pub fn serve(
    hook: &impl Hook,
    reader: impl BufRead,
    writer: impl Write + Send,
    threads: usize,
) -> io::Result<()> {
    serve_until(hook, reader, writer, threads, || {})
}

/// As [`serve`]; `gone` is called when the input ends before the session does, while calls may go on.
fn serve_until(
    hook: &impl Hook,
    reader: impl BufRead,
    writer: impl Write + Send,
    threads: usize,
    gone: impl FnOnce(),
) -> io::Result<()> {
    let capabilities = hook.capabilities();
    let threads = if capabilities.contains(&Capability::Concurrent) {
        threads.max(1)
    } else {
        1
    };
    let out = Out(Mutex::new((writer, Ok(()))));
    out.say(&Hello {
        v: vec![PROTOCOL_VERSION],
        name: hook.name().to_owned(),
        capabilities,
    });

    let (queue, requests) = mpsc::channel();
    let requests = Mutex::new(requests);
    let next = || lock(&requests).recv();
    let read = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Ok((id, request)) = next() {
                    let mut waiting = None;
                    let outcome = guarded(|| answer(hook, request, &mut waiting));
                    match waiting {
                        None => out.say(&response(id, outcome)),
                        Some(request) => {
                            let out = &out;
                            let again = move || Ok(looked_up(hook.wait(*request)?, &mut None));
                            scope.spawn(move || out.say(&response(id, guarded(again))));
                        }
                    }
                }
            });
        }
        // The queue is dropped with this call: the workers finish what is in it, and end.
        let read = read_requests(hook, reader, &out, queue);
        if !matches!(read, Ok(Some(_))) {
            gone();
        }
        read
    });
    if let Some((id, Request::End(end))) = read? {
        let outcome = guarded(|| hook.end(&end.summary).map(|()| Answer::Done));
        out.say(&response(id, outcome));
    }
    out.0
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .1
}

/// What every request has in common, also those of a later version.
#[derive(Deserialize)]
struct Envelope {
    v: u32,
    id: u64,
}

/// Queues the requests up to the last one, [`Request::End`], and returns that if it comes.
fn read_requests<W: Write>(
    hook: &impl Hook,
    reader: impl BufRead,
    out: &Out<W>,
    queue: mpsc::Sender<(u64, Request)>,
) -> io::Result<Option<(u64, Request)>> {
    for line in reader.split(b'\n') {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let Envelope { v, id } = serde_json::from_slice(&line)?;
        if v != PROTOCOL_VERSION {
            out.say(&response(
                id,
                Err(format!("version {v} of the protocol is unknown").into()),
            ));
            continue;
        }
        match serde_json::from_slice(&line) {
            // Other requests come only after the answer to this one; to be sure, it is not queued.
            Ok(Request::Begin(begin)) => {
                let outcome = guarded(|| hook.begin(&begin).map(|()| Answer::Ready));
                out.say(&response(id, outcome));
            }
            Ok(request @ Request::End(_)) => return Ok(Some((id, request))),
            Ok(request) => {
                let _ = queue.send((id, request));
            }
            Err(error) => out.say(&response(id, Err(error.into()))),
        }
    }
    Ok(None)
}

/// Answers a request; one that is to wait goes to `waiting`.
fn answer(
    hook: &impl Hook,
    request: Request,
    waiting: &mut Option<Box<BeforeBuild>>,
) -> Result<Answer, BoxError> {
    Ok(match request {
        Request::BeforeBuild(request) => looked_up(hook.before_build(request)?, waiting),
        Request::AfterBuild(request) => match hook.after_build(request)? {
            Keep::Stored(relocated) => Answer::Stored(Stored { relocated }),
            Keep::Declined(reason) => Answer::Declined(Declined {
                reason: if_any(reason),
            }),
        },
        Request::Begin(_) | Request::End(_) | Request::Unknown => return Err(NotSupported.into()),
    })
}

fn looked_up(lookup: Lookup, waiting: &mut Option<Box<BeforeBuild>>) -> Answer {
    match lookup {
        Lookup::Hit(candidates) if !candidates.is_empty() => Answer::Hit(Hit { candidates }),
        Lookup::Hit(_) => Answer::Miss(Miss::default()),
        Lookup::Miss(reason) => Answer::Miss(Miss {
            reason: if_any(reason),
        }),
        // Who has waited and would wait again has none.
        Lookup::Wait(request) => {
            *waiting = Some(request);
            Answer::Miss(Miss::default())
        }
    }
}

fn if_any(reason: String) -> Option<String> {
    Some(reason).filter(|it| !it.is_empty())
}

/// Runs `call`; a panic becomes an error.
fn guarded(call: impl FnOnce() -> Result<Answer, BoxError>) -> Result<Answer, BoxError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(format!("the hook panicked: {}", text.unwrap_or("no message")).into())
    })
}

fn response(id: u64, outcome: Result<Answer, BoxError>) -> Response {
    match outcome {
        Ok(answer) => Response {
            id,
            ok: Some(answer),
            err: None,
        },
        Err(error) => Response {
            id,
            ok: None,
            err: Some(hook_error(&*error)),
        },
    }
}

fn hook_error(error: &(dyn std::error::Error + 'static)) -> HookError {
    let kind = if error.is::<NotSupported>() {
        ErrorKind::NotSupported
    } else {
        ErrorKind::Other
    };
    let causes = std::iter::successors(error.source(), |it| it.source());
    HookError {
        kind,
        message: error.to_string(),
        caused_by: causes.map(|it| it.to_string()).collect(),
    }
}

/// Where answers go, a whole line at a time, and the first error that this gave.
struct Out<W>(Mutex<(W, io::Result<()>)>);

impl<W: Write> Out<W> {
    /// Writes `message` as a line. After an error nothing is written any more: Cargo has gone, or
    /// has given up on this process, and the end of the input will follow.
    fn say(&self, message: &impl Serialize) {
        let line = serde_json::to_vec(message).map(|mut line| {
            line.push(b'\n');
            line
        });
        let (writer, outcome) = &mut *lock(&self.0);
        if outcome.is_ok() {
            *outcome = line
                .map_err(io::Error::from)
                .and_then(|line| writer.write_all(&line))
                .and_then(|()| writer.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Idle;

    impl Hook for Idle {
        fn name(&self) -> &str {
            "idle"
        }
    }

    /// Returns whether it was noticed that Cargo has gone, after these requests.
    fn is_gone(requests: &str) -> bool {
        let mut gone = false;
        let _ = serve_until(&Idle, requests.as_bytes(), Vec::new(), 1, || gone = true);
        gone
    }

    #[test]
    fn cargo_is_gone_when_the_input_ends_before_the_session() {
        let end = r#"{"v":1,"id":1,"kind":"end","summary":{}}"#;
        assert!(!is_gone(&format!("{end}\n")));
        assert!(is_gone(""));
        assert!(is_gone("{\"v\":1,\"id\":1,\"kind\":\"before-bu"));
        assert!(is_gone(
            "{\"v\":1,\"id\":1,\"kind\":\"of-a-later-cargo\"}\n"
        ));
    }
}
