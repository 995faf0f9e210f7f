//! What is asked of the fork, as ratios that are not to be exceeded.
//!
//! Who was not measured is not judged.

use crate::bench::report::Target;
use crate::bench::share::figures::{Found, Series, ratio};
use crate::bench::share::phase::Phase;

/// Compares the fork with upstream's Cargo, with the floor, and with its best rival.
pub(crate) fn of(found: &Found) -> Vec<Target> {
    let to_stock = |name, phase| {
        let series = found.series(phase, name)?;
        found.to_stock(series)
    };
    let on = |phase| found.series(phase, "on");
    let warm = on(Phase::WarmOther);
    let judged = [
        ("off / stock, clean", 1.01, to_stock("off", Phase::Cold)),
        ("off / stock, no-op", 1.01, to_stock("off", Phase::NoOp)),
        ("on / stock, cold", 1.03, to_stock("on", Phase::Cold)),
        (
            "on / stock, edit of a leaf",
            1.03,
            to_stock("on", Phase::EditLeaf),
        ),
        (
            "on / stock, edit of a middle crate",
            1.03,
            to_stock("on", Phase::EditMiddle),
        ),
        (
            "on / floor, other checkout",
            2.0,
            warm.and_then(|it| found.to_floor(it)),
        ),
        ("on / best rival, other checkout", 0.5, to_rival(found)),
        (
            "second worktree's disk / stock target",
            0.05,
            found.second_disk("on"),
        ),
        ("on / stock, peak memory", 1.2, memory(found)),
    ];
    let known = judged.into_iter().filter_map(|(what, at_most, ratio)| {
        Some(Target::of_ratio(
            &format!("{}: {what}", found.name),
            at_most,
            ratio?,
        ))
    });
    known.collect()
}

fn to_rival(found: &Found) -> Option<f64> {
    let series = |name| found.series(Phase::WarmOther, name);
    let rivals = ["kache", "mbx"].into_iter().filter_map(series);
    let best = rivals.min_by(|a, b| a.milliseconds.median().total_cmp(&b.milliseconds.median()))?;
    ratio(series("on")?, best)
}

/// Compares the highest peak of any build with that of upstream's clean one.
fn memory(found: &Found) -> Option<f64> {
    let peak = |it: &Series| it.memory_bytes;
    let own = found.series.iter().filter(|it| it.contender == "on");
    let stock = found.series(Phase::Cold, "stock").and_then(peak)?;
    Some(own.filter_map(peak).max()? as f64 / stock as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::share::figures::tests::{found, series};

    fn ratios(found: &Found) -> Vec<(String, f64, bool)> {
        let targets = of(found).into_iter();
        targets
            .map(|it| (it.what.clone(), it.ratio, it.is_met()))
            .collect()
    }

    #[test]
    fn the_best_rival_counts() {
        let found = found(vec![
            series(Phase::WarmOther, "on", &[30]),
            series(Phase::WarmOther, "kache", &[100]),
            series(Phase::WarmOther, "mbx", &[50]),
            series(Phase::WarmOther, "sccache", &[1]),
        ]);
        let expected = (
            "small: on / best rival, other checkout".to_string(),
            0.6,
            false,
        );
        assert_eq!(ratios(&found), [expected]);
    }

    #[test]
    fn memory_is_compared_with_a_clean_build() {
        let with = |name, phase, bytes| {
            let mut series = series(phase, name, &[]);
            series.memory_bytes = Some(bytes);
            series
        };
        let found = found(vec![
            with("stock", Phase::Cold, 100),
            with("stock", Phase::NoOp, 10),
            with("on", Phase::Cold, 80),
            with("on", Phase::WarmOther, 120),
        ]);
        let expected = ("small: on / stock, peak memory".to_string(), 1.2, true);
        assert_eq!(ratios(&found), [expected]);
    }

    #[test]
    fn who_is_missing_is_not_judged() {
        assert!(of(&found(Vec::new())).is_empty());
        let found = found(vec![
            series(Phase::Cold, "stock", &[100]),
            series(Phase::Cold, "off", &[101]),
            series(Phase::Cold, "on", &[104]),
        ]);
        let met: Vec<bool> = ratios(&found).into_iter().map(|it| it.2).collect();
        assert_eq!(met, [true, false]);
    }
}
