//! Hits weighted by what they save: how much of the compile time of a build was not spent again.
//!
//! A count of hits says little, since a few large crates may be all that a build waits for. The times are
//! those of the fork's own cold build: with hooks, units have another `-C metadata` than upstream's.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::differential::comparison;
use crate::differential::record::Record;
use crate::transcript::Transcript;

/// How long each unit is compiled, by its `-C metadata`.
#[derive(Debug, Default)]
pub(crate) struct Weights(BTreeMap<String, Duration>);

impl Weights {
    /// Reads what a build with `-v` printed, which compiled everything into an empty build directory.
    pub(crate) fn read(checkout: &Path, transcript: Transcript) -> Result<Weights> {
        let record = Record::new(checkout, &[transcript])?;
        let times = comparison::times(&record, &checkout.join("target"))?;
        Ok(Weights(times))
    }

    /// Returns the share of the compile time that another build was spared.
    pub(crate) fn hits(&self, checkout: &Path, transcript: Transcript) -> Result<Option<f64>> {
        let record = Record::new(checkout, &[transcript])?;
        Ok(self.spared(record.units.keys().map(String::as_str)))
    }

    /// All compile time.
    pub(crate) fn total(&self) -> Duration {
        self.0.values().sum()
    }

    fn spared<'a>(&self, compiled: impl Iterator<Item = &'a str>) -> Option<f64> {
        let spent: Duration = compiled.filter_map(|it| self.0.get(it)).sum();
        let total = self.total();
        (!total.is_zero()).then(|| 1.0 - spent.as_secs_f64() / total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(seconds: &[(&str, u64)]) -> Weights {
        let pair =
            |(name, seconds): &(&str, u64)| (name.to_string(), Duration::from_secs(*seconds));
        Weights(seconds.iter().map(pair).collect())
    }

    #[test]
    fn large_units_weigh_more() {
        let weights = weights(&[("small", 1), ("large", 9)]);
        let spared = |compiled: &[&str]| weights.spared(compiled.iter().copied());
        assert_eq!(spared(&[]), Some(1.0));
        assert_eq!(spared(&["small"]), Some(0.9));
        assert_eq!(spared(&["small", "large"]), Some(0.0));
        assert_eq!(weights.total(), Duration::from_secs(10));
    }

    #[test]
    fn unknown_units_weigh_nothing() {
        assert_eq!(weights(&[("a", 4)]).spared(["b"].into_iter()), Some(1.0));
        assert_eq!(weights(&[]).spared(["b"].into_iter()), None);
    }
}
