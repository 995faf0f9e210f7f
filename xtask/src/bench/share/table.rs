//! The tables on the terminal.

use crate::bench::report::Target;
use crate::bench::share::figures::{Found, Series, Setting};
use crate::bench::share::scaling::Scaling;

/// What stands where nothing is known.
const UNKNOWN: &str = "-";

/// Prints what is measured.
pub(crate) fn print_setting(setting: &Setting) {
    println!(
        "{} CPUs, rustc {}, profile {}, {} rounds",
        setting.cpus, setting.rustc, setting.profile, setting.rounds
    );
    for contender in &setting.contenders {
        println!("{:<12}{}", contender.name, contender.version);
    }
}

/// Prints what was found with one workload.
pub(crate) fn print(found: &Found) {
    println!();
    println!(
        "{}: {} units, {:.1} s of compiling; warm builds are compared with stock's clean one",
        found.name,
        found.units,
        found.compile_milliseconds / 1e3
    );
    println!(
        "{:<13}{:<10}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}{:>10}{:>8}",
        "",
        "",
        "median s",
        "min s",
        "/ stock",
        "/ floor",
        "CPU s",
        "peak MB",
        "compiled",
        "restored",
        "saved"
    );
    let mut last = None;
    for series in &found.series {
        let name = if last == Some(series.phase) {
            ""
        } else {
            series.phase.name()
        };
        last = Some(series.phase);
        println!("{name:<13}{}", line(found, series));
    }
    print_disk(found);
    println!();
    for target in &found.targets {
        target.print();
    }
}

fn line(found: &Found, series: &Series) -> String {
    let known = |number: Option<f64>, digits: usize| {
        let number = number.filter(|it| it.is_finite());
        number.map_or_else(|| UNKNOWN.to_string(), |it| format!("{it:.digits$}"))
    };
    let percent = series
        .weighted_hits
        .map(|it| format!("{:.1} %", it * 100.0));
    format!(
        "{:<10}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}{:>10}{:>8}",
        series.contender,
        known(Some(series.milliseconds.median() / 1e3), 3),
        known(Some(series.milliseconds.min() / 1e3), 3),
        known(found.to_stock(series), 3),
        known(found.to_floor(series), 2),
        known(Some(series.cpu_milliseconds.median() / 1e3), 2),
        known(series.memory_bytes.map(megabytes), 1),
        series.units.compiled,
        series.units.restored,
        percent.as_deref().unwrap_or(UNKNOWN)
    )
}

fn print_disk(found: &Found) {
    let second = found.series.iter().filter(|it| it.disk.is_some());
    let second = second.map(|it| (it.contender.as_str(), it.disk));
    let rows: Vec<_> = [("stock", found.stock_disk)]
        .into_iter()
        .chain(second)
        .collect();
    println!();
    println!(
        "{:<23}{:>10}{:>13}{:>13}{:>10}{:>16}",
        "disk of a 2nd worktree", "MB", "executables", "incremental", "other", "other / stock"
    );
    for (name, usage) in rows {
        let Some(usage) = usage else {
            continue;
        };
        let [total, executables, incremental, other] = [
            usage.total(),
            usage.executables,
            usage.incremental,
            usage.other,
        ]
        .map(megabytes);
        let share = found.second_disk(name);
        let share = share.map_or_else(|| UNKNOWN.to_string(), |it| format!("{:.1} %", it * 100.0));
        println!(
            "{name:<23}{total:>10.1}{executables:>13.1}{incremental:>13.1}{other:>10.1}{share:>16}"
        );
    }
}

/// Prints how the costs grow.
pub(crate) fn print_scaling(scaling: &Scaling) {
    println!();
    println!(
        "{:<23}{:>10}{:>12}{:>10}{:>9}{:>9}",
        "scaling, units", "cold s", "restored s", "no-op s", "CPU s", "peak MB"
    );
    for size in &scaling.sizes {
        let memory = size.memory_bytes.map(|it| format!("{:.1}", megabytes(it)));
        println!(
            "{:<23}{:>10.2}{:>12.3}{:>10.3}{:>9.2}{:>9}",
            size.units,
            size.cold_milliseconds / 1e3,
            size.milliseconds.median() / 1e3,
            size.no_op_milliseconds.median() / 1e3,
            size.cpu_milliseconds.median() / 1e3,
            memory.as_deref().unwrap_or(UNKNOWN)
        );
    }
    println!();
    scaling.targets.iter().for_each(Target::print);
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::share::figures::tests::{found, series};
    use crate::bench::share::phase::Phase;

    #[test]
    fn what_is_unknown_is_not_made_up() {
        let mut warm = series(Phase::WarmOther, "on", &[500]);
        warm.weighted_hits = Some(0.987);
        let found = found(vec![series(Phase::Cold, "stock", &[1000]), warm]);
        let words = |place: usize| {
            let line = line(&found, &found.series[place]);
            line.split_whitespace()
                .map(str::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            words(0),
            [
                "stock", "1.000", "1.000", "1.000", "-", "-", "-", "0", "0", "-"
            ]
        );
        assert_eq!(
            words(1)[3..],
            ["0.500", "-", "-", "-", "0", "0", "98.7", "%"]
        );
    }
}
