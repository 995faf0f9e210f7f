//! Digests that the compiler makes of names, which follow the hashes in those names.
//!
//! A crate that includes what its build script has written holds the path of that file, with the hash of the run in
//! it, and digests of the path and of macros that are used there. So the digest of the crate is another one, too, and
//! every crate that depends on it holds that. They have 16 or 8 bytes and are stored as they are, in metadata only.
//! They cannot be computed here; but each of upstream's Cargo must stand for exactly one of the fork, in all files of
//! a build.

use std::collections::BTreeMap;

use crate::differential::native;

/// How many bytes digests have, and how many bytes of two unrelated ones differ at least.
const SIZES: [(usize, usize); 2] = [(16, 10), (8, 6)];

/// The digests that were found in a build, and what they are in the other one.
#[derive(Default)]
pub(crate) struct Digests {
    others: BTreeMap<Vec<u8>, Vec<u8>>,
    back: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Digests {
    /// Tells whether two libraries differ in digests in their metadata only, and takes note of those.
    pub(crate) fn explain(&mut self, left: &[u8], right: &[u8]) -> bool {
        let places = native::metadata(left);
        if left.len() != right.len() || places != native::metadata(right) {
            return false;
        }
        let mut rest = 0;
        for place in places {
            let before = rest..place.start;
            rest = place.end;
            if left[before.clone()] != right[before]
                || !self.explain_part(&left[place.clone()], &right[place])
            {
                return false;
            }
        }
        left[rest..] == right[rest..]
    }

    fn explain_part(&mut self, left: &[u8], right: &[u8]) -> bool {
        let mut at = 0;
        while at < left.len() {
            if left[at] == right[at] {
                at += 1;
            } else if let Some(size) = self.digest(&left[at..], &right[at..]) {
                at += size;
            } else {
                return false;
            }
        }
        true
    }

    /// Returns the size of the digests with which both begin.
    fn digest(&mut self, left: &[u8], right: &[u8]) -> Option<usize> {
        for (size, least) in SIZES {
            let (Some(left), Some(right)) = (left.get(..size), right.get(..size)) else {
                continue;
            };
            let different = left.iter().zip(right).filter(|(one, other)| one != other);
            if different.count() < least {
                continue;
            }
            let other = self.others.entry(left.to_vec()).or_insert(right.to_vec());
            let back = self.back.entry(right.to_vec()).or_insert(left.to_vec());
            return (other == right && back == left).then_some(size);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: &[u8] = b"abcdefghijklmnop";
    const RIGHT: &[u8] = b"ABCDEFGHIJKLMNOP";
    const THIRD: &[u8] = b"0123456789012345";

    fn file(digest: &[u8]) -> Vec<u8> {
        [b"rust\0\0 before ", digest, b" after it all"].concat()
    }

    #[test]
    fn a_digest_stands_for_one_other() {
        let mut digests = Digests::default();
        assert!(digests.explain(&file(LEFT), &file(RIGHT)));
        assert!(digests.explain(&file(LEFT), &file(RIGHT)));
        assert!(!digests.explain(&file(LEFT), &file(THIRD)));
        assert!(!digests.explain(&file(THIRD), &file(RIGHT)));
        assert!(digests.explain(&file(&LEFT[..8]), &file(&RIGHT[..8])));
    }

    #[test]
    fn nothing_else_is_explained() {
        let mut digests = Digests::default();
        assert!(!digests.explain(LEFT, RIGHT));
        assert!(!digests.explain(&file(b"1 at a place"), &file(b"2 at a place")));
        assert!(!digests.explain(&file(LEFT), &file(&RIGHT[1..])));
        assert!(!digests.explain(&file(&LEFT[..5]), &file(&RIGHT[..5])));
    }
}
