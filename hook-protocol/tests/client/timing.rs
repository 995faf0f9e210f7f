//! Timeouts, long lines, cancelling and ending: nothing blocks for longer than it may.

use std::time::Instant;

use super::*;

const SHORT: Duration = Duration::from_secs(1);

/// Far beyond what anything here may take, far below what the hooks would take.
const SOON: Duration = Duration::from_secs(10);

fn impatient(steps: &[&str]) -> Client {
    client_with(command(steps), SHORT, 1)
}

#[test]
fn hangs_without_hello() {
    let start = Instant::now();
    let outcome = impatient(&["stderr=hm", "sleep=60000"]).begin(begin());
    assert!(matches!(outcome, Err(Error::Timeout { .. })), "{outcome:?}");
    assert!(outcome.unwrap_err().to_string().ends_with("--- stderr\nhm"));
    assert!(start.elapsed() < SOON);
}

#[test]
fn hangs_in_a_request() {
    let start = Instant::now();
    let client = impatient(&[SESSION, "read", "ok=ready", "read", "sleep=60000"]);
    client.begin(begin()).unwrap();
    let outcome = client.before_build(before());
    assert!(matches!(outcome, Err(Error::Timeout { .. })), "{outcome:?}");
    assert!(start.elapsed() >= SHORT && start.elapsed() < SOON);
}

#[test]
fn does_not_read_what_it_is_sent() {
    let start = Instant::now();
    let client = impatient(&[CONCURRENT, "read", "ok=ready", "sleep=60000"]);
    client.begin(begin()).unwrap();
    let mut request = before();
    request.outputs = vec!["x".repeat(1 << 20); 8];
    let outcome = client.before_build(request);
    assert!(matches!(outcome, Err(Error::Timeout { .. })), "{outcome:?}");
    assert!(start.elapsed() < SOON);
}

#[test]
fn those_who_wait_for_a_start_share_its_failure() {
    let client = impatient(&[CONCURRENT, "read", "ok=ready", "read", "exit=1"]);
    client.begin(begin()).unwrap();
    assert!(client.before_build(before()).is_err());
    let hanging = impatient(&["sleep=60000"]);
    assert!(hanging.begin(begin()).is_err());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(client.before_build(before()).is_err()));
        }
    });
    assert!(start.elapsed() < SOON);
}

#[test]
fn every_line_is_progress() {
    // Twice the timeout in all, but never so long without a line; an empty one will do.
    let mut steps = vec![SESSION, "read", "ok=ready", "read"];
    steps.extend(["sleep=200", "print="].repeat(10));
    steps.extend(["ok=miss", "serve"]);
    let client = impatient(&steps);
    client.begin(begin()).unwrap();
    assert_eq!(client.before_build(before()).unwrap(), miss());
}

#[test]
fn idle_time_does_not_count() {
    let client = impatient(&[SESSION, "serve"]);
    client.begin(begin()).unwrap();
    std::thread::sleep(SHORT * 2);
    assert_eq!(client.before_build(before()).unwrap(), miss());
}

#[test]
fn long_lines_work_both_ways() {
    let client = running(&[
        SESSION,
        "read",
        "ok=ready",
        "read",
        "long=20000000",
        "serve",
    ]);
    let mut request = before();
    request.outputs = vec!["x".repeat(1 << 20); 8];
    let Answer::Miss(miss) = client.before_build(request).unwrap() else {
        panic!("no miss")
    };
    assert_eq!(miss.reason.unwrap().len(), 20_000_000);
}

#[test]
fn cancel_frees_everyone_at_once() {
    let client = running(&[SESSION, "read", "ok=ready", "read", "sleep=60000"]);
    let start = Instant::now();
    std::thread::scope(|scope| {
        // One waits for the answer, the others for the process.
        let asked: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| client.before_build(before())))
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        client.cancel();
        for outcome in asked.into_iter().map(|it| it.join().unwrap()) {
            assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
        }
    });
    assert!(matches!(
        client.before_build(before()),
        Err(Error::Cancelled)
    ));
    assert!(matches!(
        client.end(Summary::default(), LONG),
        Err(Error::Cancelled)
    ));
    assert!(start.elapsed() < SOON);
}

#[test]
fn cancel_frees_who_waits_for_a_hello() {
    let client = client_with(command(&["sleep=60000"]), LONG, 1);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let begun = scope.spawn(|| client.begin(begin()));
        std::thread::sleep(Duration::from_millis(50));
        client.cancel();
        let outcome = begun.join().unwrap();
        assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    });
    assert!(start.elapsed() < SOON);
}

#[test]
fn end_waits_for_requests_under_way() {
    let client = running(&[
        CONCURRENT,
        "read",
        "ok=ready",
        "read",
        "sleep=300",
        "ok=miss",
        "serve",
    ]);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| client.before_build(before()));
        std::thread::sleep(Duration::from_millis(50));
        client.end(Summary::default(), LONG).unwrap();
        assert_eq!(asked.join().unwrap().unwrap(), miss());
    });
}

#[test]
fn end_does_not_wait_for_ever() {
    for steps in [
        &[SESSION, "read", "ok=ready", "read", "sleep=60000"][..],
        &[
            SESSION,
            "read",
            "ok=ready",
            "read",
            "ok=done",
            "sleep=60000",
        ][..],
        &[ONE_SHOT, "sleep=60000"][..],
    ] {
        let client = running(steps);
        let start = Instant::now();
        let outcome = client.end(Summary::default(), SHORT);
        assert!(matches!(outcome, Err(Error::Timeout { .. })), "{outcome:?}");
        assert!(start.elapsed() < SOON);
    }
}

#[test]
fn end_tells_of_a_hook_that_dies_instead() {
    let client = running(&[SESSION, "read", "ok=ready", "read", "exit=9"]);
    let outcome = client.end(Summary::default(), LONG);
    assert!(matches!(outcome, Err(Error::Exited { .. })), "{outcome:?}");
}

#[test]
fn cancelled_lookups_leave_the_rest_alone() {
    let steps = [
        CONCURRENT,
        "read",
        "ok=ready",
        "read",
        "sleep=500",
        "ok=miss",
        "serve",
    ];
    let client = running(&steps);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| client.before_build(before()));
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        client.cancel_lookups();
        let outcome = asked.join().unwrap();
        assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
        assert!(start.elapsed() < Duration::from_millis(400));
    });
    assert!(matches!(
        client.before_build(before()),
        Err(Error::Cancelled)
    ));
    assert_eq!(
        client.after_build(after()).unwrap(),
        Answer::Stored(Stored::default())
    );
    client.end(Summary::default(), LONG).unwrap();
}

#[test]
fn end_frees_who_waits_behind_a_dropped_lookup() {
    let log = tempfile::tempdir().unwrap();
    let log = log.path().join("log");
    let log_step = format!("log={}", log.display());
    let client = running(&[
        &log_step,
        SESSION,
        "read",
        "ok=ready",
        "read",
        "sleep=60000",
    ]);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| client.before_build(before()));
        std::thread::sleep(Duration::from_millis(50));
        client.cancel_lookups();
        asked.join().unwrap().unwrap_err();
        let told = scope.spawn(|| client.after_build(after()));
        std::thread::sleep(Duration::from_millis(50));
        assert!(client.end(Summary::default(), SHORT).is_err());
        let outcome = told.join().unwrap();
        assert!(matches!(outcome, Err(Error::NotRunning)), "{outcome:?}");
    });
    assert_eq!(
        std::fs::read_to_string(log).unwrap(),
        "started\n",
        "no further process"
    );
    assert!(start.elapsed() < SOON);
}
