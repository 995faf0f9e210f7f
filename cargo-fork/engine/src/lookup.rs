//! Asking a hook for a unit of any kind, and trying what it offers.

use std::sync::atomic::Ordering;

use hook_protocol::wire::{Answer, BeforeBuild, Candidate, Capability, Hashes, Hit};

use crate::Reason;
use crate::session::{Failure, Session};
use crate::side::{Side, Silence};
use crate::unit::Subject;

/// A unit that is asked for.
pub(crate) trait Wanted {
    /// Returns who it is.
    fn subject(&self) -> &Subject;

    /// Returns the summaries of the results that would serve, best first.
    fn hashes(&self) -> Vec<&Hashes>;

    /// Returns the summary with which the result will be offered, if the unit is built and will be offered.
    fn built(&self) -> Option<&Hashes>;

    /// Returns the names of the outputs that a hit must supply.
    fn outputs(&self) -> Vec<String>;

    /// Checks a candidate, and puts it in place if it fits.
    fn place(&self, session: &Session, hashes: &Hashes, candidate: &Candidate) -> Tried;
}

/// What one candidate comes to.
pub(crate) enum Tried {
    Placed,
    /// An input differs, or a result is bound: nobody's mistake.
    Differs(Reason),
    /// The hook's mistake.
    Bad(String),
}

impl Tried {
    /// What fits, but could not be put in place.
    pub(crate) fn not_placed(error: &std::io::Error) -> Tried {
        let what = format!("failed to place outputs: {error}");
        Tried::Differs(Reason::Unreadable(what))
    }
}

/// What a hook's answers come to.
pub(crate) enum Answered {
    /// The unit is in place.
    Restored {
        /// The hook that supplied it.
        hook: String,
    },
    Not(Reason),
    Cancelled,
}

impl Session {
    /// Asks for each kind of result that would serve, and puts the first that fits in place.
    ///
    /// # Errors
    ///
    /// If the hook failed and is required.
    pub(crate) fn look_up(&self, wanted: &dyn Wanted) -> Result<Answered, Failure> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Ok(Answered::Cancelled);
        }
        if self.config.refresh || wanted.subject().is_cleaned {
            return Ok(Answered::Not(Reason::Refresh));
        }
        let Some(side) = &self.before else {
            return Ok(Answered::Not(Reason::NoHook));
        };
        let mut reason = Reason::Missing(None);
        for hashes in wanted.hashes() {
            match self.look_up_one(side, wanted, hashes)? {
                // What is known of a result that does not fit tells more than that there is none.
                Answered::Not(Reason::Missing(why)) => {
                    if matches!(reason, Reason::Missing(_)) {
                        reason = Reason::Missing(why);
                    }
                }
                Answered::Not(reason @ (Reason::HookFailed | Reason::NoHook)) => {
                    return Ok(Answered::Not(reason));
                }
                Answered::Not(other) => reason = other,
                answered => return Ok(answered),
            }
        }
        Ok(Answered::Not(reason))
    }

    fn look_up_one(
        &self,
        side: &Side,
        wanted: &dyn Wanted,
        hashes: &Hashes,
    ) -> Result<Answered, Failure> {
        let request = BeforeBuild {
            v: 0,
            id: 0,
            unit: wanted.subject().id.clone(),
            hashes: hashes.clone(),
            outputs: wanted.outputs(),
            is_built: self.tells(side) && wanted.built() == Some(hashes),
        };
        let asked = side.ask(&self.begin, Capability::BeforeBuild, |c| {
            c.before_build(request)
        });
        Ok(match asked {
            Ok(Answer::Hit(hit)) => self.try_hit(side, wanted, hashes, &hit)?,
            Ok(Answer::Miss(miss)) => {
                side.count_success();
                Answered::Not(Reason::Missing(miss.reason))
            }
            Ok(_) => Answered::Not(Reason::HookFailed),
            Err(Silence::Failed(cause)) => {
                self.fail(side, &wanted.subject().at(), &cause)?;
                Answered::Not(Reason::HookFailed)
            }
            Err(Silence::GivenUp) => Answered::Not(Reason::HookFailed),
            Err(Silence::NotCapable) => Answered::Not(Reason::NoHook),
            Err(Silence::Cancelled) => Answered::Cancelled,
        })
    }

    fn try_hit(
        &self,
        side: &Side,
        wanted: &dyn Wanted,
        hashes: &Hashes,
        hit: &Hit,
    ) -> Result<Answered, Failure> {
        let mut differs = None;
        let mut bad = None;
        for candidate in &hit.candidates {
            let _place = self.enter();
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(Answered::Cancelled);
            }
            match wanted.place(self, hashes, candidate) {
                Tried::Placed => {
                    side.count_success();
                    return Ok(Answered::Restored { hook: side.name() });
                }
                Tried::Differs(what) => {
                    differs.get_or_insert(what);
                }
                Tried::Bad(what) => {
                    bad.get_or_insert(what);
                }
            }
        }
        if hit.candidates.is_empty() {
            bad = Some("a hit without a candidate".to_owned());
        }
        if let Some(cause) = bad {
            side.count_error();
            self.fail(side, &wanted.subject().at(), &cause)?;
            return Ok(Answered::Not(Reason::HookFailed));
        }
        let reason = differs.expect("each candidate was tried, and none was placed");
        Ok(Answered::Not(reason))
    }
}
