//! Searching files that may be large, without holding one in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memchr::memmem;

/// How much is read at once. Much more would be slower, since it fits no cache of the processor, and what the
/// allocator asks the system for (from 128 KiB on with glibc) makes it keep more for itself.
const SIZE: usize = 1 << 16;

/// Shows a file to `see`, a piece at a time, until that returns true, which is returned. A piece begins with the last
/// `overlap` bytes of the one before; `see` is told whether it is the last one.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn any(
    path: &Path,
    overlap: usize,
    mut see: impl FnMut(&[u8], bool) -> bool,
) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut piece = Vec::with_capacity(SIZE + overlap);
    loop {
        let read = (&mut file).take(SIZE as u64).read_to_end(&mut piece)?;
        let is_last = read < SIZE;
        if see(&piece, is_last) {
            return Ok(true);
        }
        if is_last {
            return Ok(false);
        }
        piece.drain(..piece.len().saturating_sub(overlap));
    }
}

/// Returns whether a file holds a text.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn contain(path: &Path, text: &[u8]) -> io::Result<bool> {
    let finder = memmem::Finder::new(text);
    let overlap = text.len().saturating_sub(1);
    any(path, overlap, |piece, _| finder.find(piece).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_across_pieces_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for at in [
            0,
            1,
            SIZE - 6,
            SIZE - 5,
            SIZE - 1,
            SIZE,
            2 * SIZE - 3,
            2 * SIZE + 1,
        ] {
            let mut content = vec![b'.'; 2 * SIZE + 7];
            content[at..at + 6].copy_from_slice(b"needle");
            std::fs::write(&path, &content).unwrap();
            assert!(contain(&path, b"needle").unwrap(), "{at}");
            assert!(!contain(&path, b"needles").unwrap(), "{at}");
        }
        for size in [0, 1, SIZE, 2 * SIZE] {
            std::fs::write(&path, vec![b'.'; size]).unwrap();
            assert!(!contain(&path, b"needle").unwrap(), "{size}");
        }
    }

    #[test]
    fn every_byte_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let content: Vec<u8> = (0..3 * SIZE + 5).map(|it| (it % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let (mut seen, mut ends) = (Vec::new(), 0);
        let outcome = any(&path, 10, |piece, is_last| {
            let known = if seen.is_empty() { 0 } else { 10 };
            seen.extend_from_slice(&piece[known..]);
            ends += usize::from(is_last);
            false
        });
        assert!(!outcome.unwrap());
        assert_eq!((seen == content, ends), (true, 1));
    }
}
