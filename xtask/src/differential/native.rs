//! Object files, programs and archives: in which sections two of them differ.
//!
//! A C compiler sorts what its debug information names by hashes of it, and `OUT_DIR` is among that. So where
//! upstream's Cargo and the fork have another `OUT_DIR`, debug information of C has another order; code and data are
//! the same.

use std::ops::Range;

use object::{Object, ObjectSection, ObjectSymbol};

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// Returns the names of the sections in which there are some of these offsets; they are in order.
pub(crate) fn sections(bytes: &[u8], offsets: &[usize]) -> Vec<String> {
    let Ok(file) = object::File::parse(bytes) else {
        return Vec::new();
    };
    let named = file.sections().filter(|it| {
        let range = it.file_range();
        range.is_some_and(|it| !inside(offsets, &to_range(it)).is_empty())
    });
    let mut names: Vec<String> = named
        .filter_map(|it| it.name().ok().map(str::to_string))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Tells whether two files have the same code and data, and differ in debug information only.
pub(crate) fn differ_in_debug_only(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (Some(ours), Some(theirs)) = (members(left), members(right)) else {
        return objects_differ_in_debug_only(left, right);
    };
    // Outside of members there are only headers.
    let mut rest = 0;
    ours == theirs
        && ours.into_iter().all(|it| {
            let headers = rest..it.start;
            rest = it.end;
            left[headers.clone()] == right[headers]
                && (left[it.clone()] == right[it.clone()]
                    || objects_differ_in_debug_only(&left[it.clone()], &right[it]))
        })
}

fn objects_differ_in_debug_only(left: &[u8], right: &[u8]) -> bool {
    // Members of archives are not aligned as the headers in them must be; vectors are.
    let aligned = left.to_vec();
    let Ok(file) = object::File::parse(&*aligned) else {
        return false;
    };
    let different = differences(left, right);
    let is_debug = |name: &str| name.starts_with(".debug_") || name.starts_with(".rela.debug_");
    let debug = file.sections().filter(|it| it.name().is_ok_and(is_debug));
    let ranges = debug.filter_map(|it| it.file_range().map(to_range));
    let inside: usize = ranges.map(|it| inside(&different, &it).len()).sum();
    inside == different.len()
}

/// Returns where two files have other bytes, as far as both go.
pub(crate) fn differences(left: &[u8], right: &[u8]) -> Vec<usize> {
    let common = left.len().min(right.len());
    (0..common).filter(|at| left[*at] != right[*at]).collect()
}

/// Returns where a library has the metadata of its crate; everything of a `.rmeta` file is that.
pub(crate) fn metadata(bytes: &[u8]) -> Vec<Range<usize>> {
    let is_bare = |it: &Range<usize>| bytes[it.clone()].starts_with(b"rust\0\0");
    let Some(members) = members(bytes) else {
        let all = 0..bytes.len();
        let section = section(bytes, ".rustc");
        return if is_bare(&all) {
            vec![all]
        } else {
            section.into_iter().collect()
        };
    };
    let of_member = |it: Range<usize>| {
        if is_bare(&it) {
            return Some(it);
        }
        // Aligned, as above.
        let member = bytes[it.clone()].to_vec();
        let inside = section(&member, ".rmeta")?;
        Some(it.start + inside.start..it.start + inside.end)
    };
    members.into_iter().filter_map(of_member).collect()
}

/// Tells whether two programs have the same functions and data, each as long, wherever they are.
pub(crate) fn have_same_symbols(left: &[u8], right: &[u8]) -> bool {
    let [left, right] = [left, right].map(symbols);
    left.is_some_and(|it| !it.is_empty() && Some(it) == right)
}

fn symbols(bytes: &[u8]) -> Option<Vec<(Vec<u8>, u64)>> {
    let file = object::File::parse(bytes).ok()?;
    let named = |it: object::Symbol<'_, '_>| Some((it.name_bytes().ok()?.to_vec(), it.size()));
    let mut found: Vec<_> = file.symbols().filter_map(named).collect();
    found.sort();
    Some(found)
}

/// Returns where a program has the digest of itself.
pub(crate) fn build_id(bytes: &[u8]) -> Option<Range<usize>> {
    section(bytes, ".note.gnu.build-id")
}

fn section(bytes: &[u8], name: &str) -> Option<Range<usize>> {
    let file = object::File::parse(bytes).ok()?;
    file.section_by_name(name)?.file_range().map(to_range)
}

fn inside<'a>(offsets: &'a [usize], range: &Range<usize>) -> &'a [usize] {
    let first = offsets.partition_point(|at| *at < range.start);
    let end = offsets.partition_point(|at| *at < range.end);
    &offsets[first..end.max(first)]
}

fn to_range((start, size): (u64, u64)) -> Range<usize> {
    start as usize..(start + size) as usize
}

/// Returns where the members of an archive are; `None` if it is none.
fn members(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    bytes.strip_prefix(MAGIC)?;
    let mut found = Vec::new();
    let mut at = MAGIC.len();
    while at + HEADER <= bytes.len() {
        let size = std::str::from_utf8(&bytes[at + 48..at + 58]).ok()?;
        let start = at + HEADER;
        let end = start + size.trim().parse::<usize>().ok()?;
        if end > bytes.len() {
            return None;
        }
        found.push(start..end);
        at = end + end % 2;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[&[u8]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for member in members {
            let header = format!("{:<48}{:<10}`\n", "a.o/", member.len());
            bytes.extend(header.as_bytes());
            bytes.extend(*member);
            if member.len() % 2 == 1 {
                bytes.push(b'\n');
            }
        }
        bytes
    }

    #[test]
    fn members_are_found() {
        let bytes = archive(&[b"one", b"four"]);
        let found = members(&bytes).unwrap();
        let texts: Vec<_> = found.into_iter().map(|it| &bytes[it]).collect();
        assert_eq!(texts, [&b"one"[..], b"four"]);
        assert_eq!(members(b"no archive"), None);
        assert_eq!(members(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn the_program_itself_has_code() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let change = |section: &str| {
            let file = object::File::parse(&*bytes).unwrap();
            let range = to_range(file.section_by_name(section)?.file_range()?);
            let mut changed = bytes.clone();
            changed[range.start] ^= 1;
            Some(changed)
        };
        if let (Some(code), Some(debug)) = (change(".text"), change(".debug_str")) {
            assert!(!differ_in_debug_only(&bytes, &code));
            assert!(differ_in_debug_only(&bytes, &debug));
            assert!(have_same_symbols(&bytes, &code));
            let different = differences(&bytes, &debug);
            assert_eq!(sections(&bytes, &different), [".debug_str"]);
            let [left, right] = [&bytes, &debug].map(|it| archive(&[b"same", it]));
            assert!(differ_in_debug_only(&left, &right));
            assert!(!differ_in_debug_only(&left, &archive(&[b"Same", &debug])));
        }
    }
}
