//! The cycle of a test of restoring: build cold, wipe, build warm, build again. Every step counts, and
//! artifacts are compared.

use cargo_test_support::{Execs, Project};

use super::{Counts, Hook, Hooked, artifacts, assert_same};

/// A command that is run again and again.
pub(crate) struct Cycle<'a> {
    hook: &'a Hook,
    line: &'a str,
    runs: usize,
    prepare: Box<dyn Fn(&mut Execs) + 'a>,
}

/// Begins a cycle of `cargo LINE`.
pub(crate) fn cycle<'a>(hook: &'a Hook, line: &'a str) -> Cycle<'a> {
    Cycle {
        hook,
        line,
        runs: 0,
        prepare: Box::new(|_| {}),
    }
}

impl<'a> Cycle<'a> {
    /// Prepares every process: with variables, or as nightly.
    pub(crate) fn prepared(mut self, prepare: impl Fn(&mut Execs) + 'a) -> Cycle<'a> {
        self.prepare = Box::new(prepare);
        self
    }

    /// Expects that so many build scripts run too, or are restored instead.
    pub(crate) fn with_runs(mut self, runs: usize) -> Cycle<'a> {
        self.runs = runs;
        self
    }

    /// Goes through the whole cycle in one checkout, in which `units` units are compiled and restored.
    #[track_caller]
    pub(crate) fn of(&self, project: &Project, units: usize) {
        self.cold(project, units);
        let cold = artifacts(&project.build_dir());
        project.wipe();
        self.warm(project, units);
        assert_same(&cold, &artifacts(&project.build_dir()));
        self.fresh(project);
    }

    /// Builds cold in one checkout, and warm in another.
    #[track_caller]
    pub(crate) fn across(&self, one: &Project, two: &Project, units: usize) {
        self.cold(one, units);
        self.warm(two, units);
        // Lists of sources hold the paths of their checkout.
        let but_lists = |p: &Project| {
            let mut found = artifacts(&p.build_dir());
            found.retain(|name, _| !name.ends_with(".d"));
            found
        };
        assert_same(&but_lists(one), &but_lists(two));
        self.fresh(two);
    }

    /// Builds with a hook that knows nothing: it is asked and told of every unit.
    #[track_caller]
    pub(crate) fn cold(&self, project: &Project, units: usize) {
        self.execs(project)
            .counts_with_runs(0, units, self.runs)
            .run();
        let log = self.hook.take_log();
        let units = units + self.runs;
        assert_eq!(
            log.told().len(),
            units,
            "told of every unit: {:?}",
            log.told()
        );
        let mut asked = log.asked();
        // An incremental unit is asked for twice: first for a result that is not.
        asked.dedup();
        let mut told = log.told();
        told.dedup();
        assert_eq!(asked, told, "asked for what it is told of");
    }

    /// Builds with a hook that knows everything: all is restored, and it is told of nothing.
    #[track_caller]
    pub(crate) fn warm(&self, project: &Project, units: usize) {
        let units = units + self.runs;
        self.execs(project).counts(units, 0).run();
        let log = self.hook.take_log();
        assert!(
            log.asked().len() >= units,
            "asked for all: {:?}",
            log.asked()
        );
        assert_eq!(log.told(), [""; 0], "told of nothing");
    }

    /// Builds again: everything is fresh, and no hook is started.
    #[track_caller]
    pub(crate) fn fresh(&self, project: &Project) {
        self.hook.take_log();
        self.execs(project).fresh().run();
        assert_eq!(
            self.hook.take_log().count("start"),
            0,
            "a fresh build starts no hook"
        );
    }

    fn execs(&self, project: &Project) -> Execs {
        let mut execs = project.hooked(self.line);
        (self.prepare)(&mut execs);
        execs
    }
}
