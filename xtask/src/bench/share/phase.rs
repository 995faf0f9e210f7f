//! The situations in which people build, in the order in which a round goes through them.

use clap::ValueEnum;
use serde::Serialize;

use crate::bench::share::contender::Kind;

/// A situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Nothing is built, and the cache is empty.
    Cold,
    /// Everything is built.
    NoOp,
    /// The body of a function was edited, in a crate on which nothing depends.
    EditLeaf,
    /// The same in a crate on which others depend.
    EditMiddle,
    /// The build directory was removed.
    WarmSame,
    /// Another checkout, in another place, at another depth.
    WarmOther,
    /// Another checkout of the next commit, which changes a crate on which others depend.
    NextCommit,
}

impl Phase {
    /// All of them, in their order.
    pub(crate) const ALL: [Phase; 7] = [
        Phase::Cold,
        Phase::NoOp,
        Phase::EditLeaf,
        Phase::EditMiddle,
        Phase::WarmSame,
        Phase::WarmOther,
        Phase::NextCommit,
    ];

    /// Its name in the table and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Cold => "cold",
            Phase::NoOp => "no-op",
            Phase::EditLeaf => "edit-leaf",
            Phase::EditMiddle => "edit-middle",
            Phase::WarmSame => "warm-same",
            Phase::WarmOther => "warm-other",
            Phase::NextCommit => "next-commit",
        }
    }

    /// What it is, in a line.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Phase::Cold => "Clean build, empty cache",
            Phase::NoOp => "Nothing to do",
            Phase::EditLeaf => "One function body edited in a leaf crate",
            Phase::EditMiddle => "One function body edited in a middle crate",
            Phase::WarmSame => "Same checkout, target directory removed",
            Phase::WarmOther => "Another checkout, at another path and depth",
            Phase::NextCommit => "Fresh checkout of the next commit",
        }
    }

    /// Who takes part. Without a cache, a build in a fresh checkout is the clean build that `cold` has timed.
    pub(crate) fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Plain => !self.is_warm(),
            Kind::Cache | Kind::Rival => true,
            Kind::Floor => matches!(self, Phase::WarmSame | Phase::WarmOther),
        }
    }

    /// Whether the cache is full and the build directory empty.
    pub(crate) fn is_warm(self) -> bool {
        self >= Phase::WarmSame
    }

    /// The phase of upstream's Cargo to which this one is compared.
    pub(crate) fn base(self) -> Phase {
        if self.is_warm() { Phase::Cold } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for phase in Phase::ALL {
            let value = phase.to_possible_value().unwrap();
            assert_eq!(value.get_name(), phase.name());
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.name());
        }
        assert!(Phase::ALL.is_sorted());
    }

    #[test]
    fn upstream_takes_part_in_what_others_are_compared_with() {
        for phase in Phase::ALL {
            assert!(phase.base().has(Kind::Plain), "{phase:?}");
            assert_eq!(phase.is_warm(), phase.base() != phase);
        }
        assert!(Phase::WarmOther.has(Kind::Floor) && !Phase::NextCommit.has(Kind::Floor));
    }
}
