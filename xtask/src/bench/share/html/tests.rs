//! A page of made-up figures: it can be parsed, and needs nothing else.

use super::*;
use crate::bench::share::disk::Usage;
use crate::bench::share::figures::Described;
use crate::bench::share::figures::tests::{found, series};
use crate::bench::share::scaling::Sized;

fn figures() -> Figures {
    let mut warm = series(Phase::WarmOther, "on", &[50]);
    warm.weighted_hits = Some(0.5);
    warm.disk = Some(Usage {
        executables: 1,
        incremental: 0,
        other: 60,
    });
    let mut workload = found(vec![
        series(Phase::Cold, "stock", &[100]),
        series(Phase::Cold, "<odd>", &[110]),
        warm,
    ]);
    workload.targets = vec![
        Target::of_ratio("a < b", 1.0, 2.0),
        Target::of_ratio("c", 1.0, 0.5),
    ];
    let sized = |units, time| Sized {
        units,
        cold_milliseconds: 1.0,
        milliseconds: series(Phase::Cold, "", &[time]).milliseconds,
        cpu_milliseconds: Default::default(),
        no_op_milliseconds: series(Phase::NoOp, "", &[time / 2]).milliseconds,
        added_milliseconds: series(Phase::NoOp, "", &[time / 2]).milliseconds,
        memory_bytes: None,
    };
    Figures {
        setting: Setting {
            rustc: "1.95.0".to_string(),
            profile: "release",
            cpus: 2,
            rounds: 1,
            contenders: vec![Described {
                name: "stock".to_string(),
                program: "/bin/cargo".into(),
                version: "cargo 1.97.0 (upstream & co)".to_string(),
            }],
        },
        workloads: vec![workload, found(Vec::new())],
        scaling: Some(Scaling {
            sizes: vec![sized(400, 10), sized(2000, 40)],
            targets: ["scaling", "added"].map(|it| Target::of_ratio(it, 5.0, 4.0)),
        }),
    }
}

/// Checks that every element is closed, in the right order, and returns how many there are.
fn elements(page: &str) -> usize {
    let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let (mut open, mut count) = (Vec::new(), 0);
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("`<{part}`"));
        assert!(
            !text.contains('>') || open.last() == Some(&"style"),
            "{text}"
        );
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        count += 1;
        if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    count
}

#[test]
fn every_element_is_closed() {
    assert!(elements(&page(&figures())) > 60);
}

#[test]
fn nothing_comes_from_elsewhere() {
    let page = page(&figures());
    for wanted in [
        "http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link",
    ] {
        assert!(!page.contains(wanted), "{wanted}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("<svg"));
}

#[test]
fn figures_and_verdicts_are_in_it() {
    let page = page(&figures());
    for expected in [
        "small: 50 units",
        "&lt;odd&gt;",
        "110 ms, 1.10 × stock",
        "50 ms, 0.50 × stock",
        "6.0 % of a stock target",
        "class=\"missed\">at most 1.00: missed",
        "class=\"met\">at most 5.00: met",
        "40 ms; 20 ms with nothing to do, 1 ms cold",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}
