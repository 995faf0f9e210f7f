//! [`Salt`]: what keeps those who see keys and entries from guessing what went into them.

use hook_protocol::Digest;

/// `hooks.salt` as a key for digests.
///
/// Entries carry digests of values of environment variables, and a value may be a secret: `env!("TOKEN")`.
/// Whoever can read a store could try values until one has the digest. With a salt that these do not know
/// they cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Makes the key of what `hooks.salt` says. Without a salt the key is one that everybody knows.
    pub fn new(text: &str) -> Salt {
        let context = "cargo hooks 2026-11-28 digests of ingredients and values";
        Salt(blake3::derive_key(context, text.as_bytes()))
    }

    /// Returns the digest of `text` under this key.
    pub(crate) fn digest(&self, text: &str) -> Digest {
        Digest::from_bytes(*blake3::keyed_hash(&self.0, text.as_bytes()).as_bytes())
    }
}

impl Default for Salt {
    fn default() -> Salt {
        Salt::new("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_cannot_be_computed_without_the_salt() {
        let secret = "hunter2";
        let digest = Salt::new("pepper").digest(secret);
        assert_eq!(digest, Salt::new("pepper").digest(secret));
        assert_ne!(digest, Salt::new("").digest(secret));
        assert_ne!(digest, Digest::of(secret.as_bytes()));
        assert_ne!(
            Salt::default().digest(secret),
            Digest::of(secret.as_bytes())
        );
    }
}
