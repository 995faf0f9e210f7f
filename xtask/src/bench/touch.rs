//! What builds cost after every file was touched and none was changed.
//!
//! Invariant: when it is done, also with an error, the files have the times that they had.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::bench::contender::{Contender, Site, Units};
use crate::bench::report::{Row, Target};
use crate::bench::timing::Samples;
use crate::bench::workspace::Workspace;

/// How much older than a build the touched files are.
///
/// A build cannot trust the time of a file that was written in the same moment; file systems count time in steps
/// of up to some 10 ms. This measures what everybody else gets.
const AGE: Duration = Duration::from_millis(100);

/// What was found.
#[derive(Serialize)]
pub(crate) struct Touch {
    /// Upstream's Cargo has nothing to do, since the files have their old times.
    stock: Row,
    /// Nothing to do, and nothing touched since the last build.
    noop: Row,
    /// The first build after the touch.
    first: Row,
    /// The second one.
    second: Row,
    /// How many units upstream's Cargo compiles after a touch.
    stock_compiles: usize,
    /// The verdicts.
    pub(crate) targets: [Target; 2],
}

/// Times a contender after touches, beside upstream's Cargo without any.
///
/// A round needs a build that is not timed: giving the files their old times back is a touch, too.
pub(crate) fn measure(
    stock: &Contender,
    contender: &Contender,
    site: &Site,
    workspace: &Workspace,
    rounds: usize,
) -> Result<Touch> {
    let mut times: [Samples; 4] = Default::default();
    let [unchanged, noop, first, second] = &mut times;
    for _ in 0..rounds {
        contender
            .time_noop(site)
            .context("after the times of all files went back")?;
        noop.push(contender.time_noop(site)?);
        unchanged.push(stock.time_noop(site)?);
        while_touched(workspace, || {
            for samples in [&mut *first, &mut *second] {
                let took = contender.time_noop(site);
                samples.push(took.context("after all files were touched")?);
            }
            Ok(())
        })?;
    }
    let compiled = count_touched(stock, site, workspace)?.compiled;
    Ok(Touch::new(&contender.name, times, compiled))
}

impl Touch {
    fn new(contender: &str, times: [Samples; 4], stock_compiles: usize) -> Touch {
        let [stock, noop, first, second] = times;
        let targets = [
            Target::new("first after touch / own no-op", 2.0, &first, &noop),
            Target::new("second after touch / stock no-op", 1.05, &second, &stock),
        ];
        let row = |name: String, milliseconds| Row { name, milliseconds };
        Touch {
            stock: row("stock".to_string(), stock),
            noop: row(contender.to_string(), noop),
            first: row("  first after touch".to_string(), first),
            second: row("  second".to_string(), second),
            stock_compiles,
            targets,
        }
    }

    /// The lines of the table.
    pub(crate) fn rows(&self) -> [&Row; 4] {
        [&self.stock, &self.noop, &self.first, &self.second]
    }

    /// How many units upstream's Cargo compiles after a touch.
    pub(crate) fn stock_compiles(&self) -> usize {
        self.stock_compiles
    }
}

/// Counts what a contender builds after a touch; it is left with files as old as before.
fn count_touched(contender: &Contender, site: &Site, workspace: &Workspace) -> Result<Units> {
    let mut units = Units::default();
    while_touched(workspace, || {
        units = contender.count(site)?;
        Ok(())
    })?;
    Ok(units)
}

/// Touches all files, does something, and gives the files their times back.
fn while_touched(workspace: &Workspace, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let done = workspace.touch().and_then(|()| {
        thread::sleep(AGE);
        work()
    });
    workspace.restore_times()?;
    done
}
