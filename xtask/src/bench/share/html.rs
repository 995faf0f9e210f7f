//! The page with charts: one file that needs nothing from elsewhere, for light and dark screens.

use crate::bench::report::Target;
use crate::bench::share::chart::{self, Bar, escape};
use crate::bench::share::figures::{Figures, Found, Series, Setting};
use crate::bench::share::phase::Phase;
use crate::bench::share::scaling::Scaling;

const STYLE: &str = include_str!("page.css");

/// Returns the page.
pub(crate) fn page(figures: &Figures) -> String {
    let workloads: String = figures.workloads.iter().map(workload).collect();
    let scaling: String = figures.scaling.iter().map(scaling).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width\"/>\n\
         <title>What sharing build artifacts saves</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>What sharing build artifacts saves</h1>\n{}{workloads}{scaling}</body>\n</html>\n",
        setting(&figures.setting)
    )
}

fn setting(setting: &Setting) -> String {
    let rows = setting.contenders.iter().map(|it| {
        format!(
            "<tr><td>{}</td><td>{}</td></tr>\n",
            escape(&it.name),
            escape(&it.version)
        )
    });
    format!(
        "<p>{} CPUs, rustc {}, profile {}, medians of {} rounds. \
         <b>on</b> is the fork with its local cache, <b>off</b> the fork without hooks, <b>stock</b> upstream's Cargo; \
         <b>floor</b> is stock over hard links to a finished target directory.</p>\n<table>\n{}</table>\n",
        setting.cpus,
        escape(&setting.rustc),
        escape(setting.profile),
        setting.rounds,
        rows.collect::<String>()
    )
}

fn workload(found: &Found) -> String {
    let charts = Phase::ALL.into_iter().map(|it| phase(found, it));
    format!(
        "<h2>{}: {} units</h2>\n<p class=\"faint\">Compilers work {:.1} s on it.</p>\n{}{}{}{}",
        found.name,
        found.units,
        found.compile_milliseconds / 1e3,
        targets(&found.targets),
        charts.collect::<String>(),
        disk(found),
        details(found)
    )
}

fn targets<'a>(targets: impl IntoIterator<Item = &'a Target>) -> String {
    let rows = targets.into_iter().map(|it| {
        let class = if it.is_met() { "met" } else { "missed" };
        format!(
            "<tr><td>{}</td><td>{:.3}</td><td class=\"{class}\">{}</td></tr>\n",
            escape(&it.what),
            it.ratio,
            escape(&it.verdict())
        )
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    format!("<table>\n<tr><th>Target</th><th>Ratio</th><th></th></tr>\n{rows}</table>\n")
}

/// Returns the chart of a phase; for warm builds, upstream's clean one is in it.
fn phase(found: &Found, phase: Phase) -> String {
    let own = found.series.iter().filter(|it| it.phase == phase);
    let base = found.base(phase).filter(|_| phase.is_warm());
    let bars: Vec<Bar> = base
        .into_iter()
        .chain(own)
        .map(|it| bar(found, it))
        .collect();
    if bars.len() <= usize::from(base.is_some()) {
        return String::new();
    }
    figure(phase.name(), phase.description(), &bars)
}

fn bar(found: &Found, series: &Series) -> Bar {
    let median = series.milliseconds.median() / 1e3;
    let ratio = found
        .to_stock(series)
        .map(|it| format!(", {it:.2} × stock"));
    Bar {
        label: series.contender.clone(),
        value: median,
        note: time(median) + &ratio.unwrap_or_default(),
    }
}

/// Returns a time in the unit that suits it.
fn time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

fn disk(found: &Found) -> String {
    let series = found.series.iter().filter_map(|it| {
        let other = it.disk?.other as f64;
        let share = found.second_disk(&it.contender)?;
        Some(Bar {
            label: it.contender.clone(),
            value: other,
            note: format!(
                "{:.1} MB, {:.1} % of a stock target",
                other / 1e6,
                share * 100.0
            ),
        })
    });
    let bars: Vec<Bar> = series.collect();
    if bars.is_empty() {
        return String::new();
    }
    let description = "What another worktree takes, without executables and incremental state";
    figure("disk", description, &bars)
}

fn figure(name: &str, description: &str, bars: &[Bar]) -> String {
    format!(
        "<figure>\n<figcaption>{} <span>{}</span></figcaption>\n{}</figure>\n",
        escape(name),
        escape(description),
        chart::bars(description, bars)
    )
}

fn details(found: &Found) -> String {
    let number = |it: Option<f64>, digits: usize| {
        let it = it.filter(|it| it.is_finite());
        it.map(|it| format!("{it:.digits$}")).unwrap_or_default()
    };
    let rows = found.series.iter().map(|it| {
        let cells = [
            number(Some(it.milliseconds.median() / 1e3), 3),
            number(Some(it.milliseconds.spread() / 1e3), 3),
            number(found.to_stock(it), 3),
            number(found.to_floor(it), 2),
            number(Some(it.cpu_milliseconds.median() / 1e3), 2),
            number(it.memory_bytes.map(|it| it as f64 / 1e6), 1),
            it.units.compiled.to_string(),
            it.units.restored.to_string(),
            number(it.weighted_hits.map(|it| it * 100.0), 1),
        ];
        let cells: String = cells.iter().map(|it| format!("<td>{it}</td>")).collect();
        let name = escape(&it.contender);
        format!("<tr><td>{} {name}</td>{cells}</tr>\n", it.phase.name())
    });
    const COLUMNS: &str = "<th></th><th>median s</th><th>spread s</th><th>/ stock</th><th>/ floor</th>\
        <th>CPU s</th><th>peak MB</th><th>compiled</th><th>restored</th><th>time saved %</th>";
    let rows: String = rows.collect();
    format!(
        "<details>\n<summary>All figures</summary>\n<div class=\"wide\"><table>\n<tr>{COLUMNS}</tr>\n{rows}</table></div>\n</details>\n"
    )
}

fn scaling(scaling: &Scaling) -> String {
    let bars = scaling.sizes.iter().map(|it| {
        let median = it.milliseconds.median() / 1e3;
        Bar {
            label: format!("{} units", it.units),
            value: median,
            note: format!(
                "{}; {} with nothing to do, {} cold",
                time(median),
                time(it.no_op_milliseconds.median() / 1e3),
                time(it.cold_milliseconds / 1e3)
            ),
        }
    });
    let bars: Vec<Bar> = bars.collect();
    format!(
        "<h2>Scaling</h2>\n{}{}",
        targets(&scaling.targets),
        figure(
            "restored",
            "Small generated units, restored in another checkout",
            &bars
        )
    )
}

#[cfg(test)]
mod tests;
