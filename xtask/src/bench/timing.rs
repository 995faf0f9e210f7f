//! How long programs take: single runs, the order of many, and what a series of times comes to.
//!
//! It never knows what a program does, and never throws a time away.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Serialize, Serializer};

use crate::process;

/// Runs a program to its end, with no input and its output captured; a bad exit status is an error.
pub(crate) fn time(command: &mut Command) -> Result<(Duration, Output)> {
    let began = Instant::now();
    let output = process::output(command)?;
    let took = began.elapsed();
    process::check(command, &output)?;
    Ok((took, output))
}

/// Returns the order in which `count` contenders run in a round.
///
/// Each comes first equally often, and the direction changes, so that none always follows the same other one.
pub(crate) fn order(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).map(|it| (it + round / 2) % count).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// The times of equal runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds a time.
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Adds a time if there is one.
    pub(crate) fn extend(&mut self, time: Option<Duration>) {
        self.0.extend(time);
    }

    /// The middle time in milliseconds: half of the runs were faster.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The shortest time in milliseconds: what the machine can do when nothing disturbs it.
    pub(crate) fn min(&self) -> f64 {
        self.quantile(0.0)
    }

    /// The interquartile range in milliseconds: how far apart the middle half of the runs lies.
    pub(crate) fn spread(&self) -> f64 {
        self.quantile(0.75) - self.quantile(0.25)
    }

    /// Returns the time below which a share of the runs lies, between two runs by linear interpolation.
    fn quantile(&self, share: f64) -> f64 {
        let mut times = self.milliseconds();
        times.sort_by(f64::total_cmp);
        let Some(last) = times.len().checked_sub(1) else {
            return f64::NAN;
        };
        let place = share * last as f64;
        let (low, high) = (times[place.floor() as usize], times[place.ceil() as usize]);
        low + (high - low) * place.fract()
    }

    fn milliseconds(&self) -> Vec<f64> {
        self.0.iter().map(|it| it.as_secs_f64() * 1e3).collect()
    }
}

/// Written as milliseconds, in the order of the runs.
impl Serialize for Samples {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.milliseconds().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(milliseconds: &[u64]) -> Samples {
        let times = milliseconds.iter().copied();
        Samples(times.map(Duration::from_millis).collect())
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(samples(&[9, 1, 2]).median(), 2.0);
        assert_eq!(samples(&[4, 1, 9, 2]).median(), 3.0);
        assert_eq!(samples(&[7]).median(), 7.0);
        assert!(samples(&[]).median().is_nan());
    }

    #[test]
    fn one_outlier_moves_neither_min_nor_spread() {
        let quiet = samples(&[10, 11, 12, 13, 14]);
        assert_eq!((quiet.min(), quiet.spread()), (10.0, 2.0));
        let disturbed = samples(&[500, 10, 11, 12, 13]);
        assert_eq!((disturbed.min(), disturbed.spread()), (10.0, 2.0));
    }

    #[test]
    fn every_contender_has_every_place_equally_often() {
        for count in 1..5 {
            let mut seen = vec![vec![0; count]; count];
            for round in 0..2 * count {
                for (place, contender) in order(count, round).into_iter().enumerate() {
                    seen[contender][place] += 1;
                }
            }
            assert_eq!(seen, vec![vec![2; count]; count]);
        }
    }

    #[test]
    fn raw_times_are_written_in_their_order() {
        let text = serde_json::to_string(&samples(&[30, 10, 20])).unwrap();
        assert_eq!(text, "[30.0,10.0,20.0]");
    }
}
