//! Where two artifacts differ: by member of an archive, and by section of an object.

use std::collections::BTreeMap;

use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _};

/// The most sections that are named.
const MAX: usize = 20;

/// Returns the names of the parts that differ: `MEMBER` and `SECTION` for archives, `SECTION` for objects. None for
/// files that have no parts.
pub(crate) fn that_differ(one: &[u8], other: &[u8]) -> Vec<String> {
    let mut names = match (members(one), members(other)) {
        (Some(one), Some(other)) => differing(&one, &other)
            .flat_map(|name| match (parts(&one, name), parts(&other, name)) {
                (Some(one), Some(other)) => differing(&one, &other)
                    .map(|section| format!("{name} {section}"))
                    .collect(),
                _ => vec![name.clone()],
            })
            .collect::<Vec<_>>(),
        _ => match (sections(one), sections(other)) {
            (Some(one), Some(other)) => differing(&one, &other).cloned().collect(),
            _ => Vec::new(),
        },
    };
    if names.len() > MAX {
        let more = names.len() - MAX;
        names.truncate(MAX);
        names.push(format!("and {more} more"));
    }
    names
}

fn differing<'a>(
    one: &'a BTreeMap<String, &[u8]>,
    other: &'a BTreeMap<String, &[u8]>,
) -> impl Iterator<Item = &'a String> {
    let lacking = other.keys().filter(|name| !one.contains_key(*name));
    one.iter()
        .filter(|(name, content)| other.get(*name) != Some(content))
        .map(|(name, _)| name)
        .chain(lacking)
}

/// Returns the sections of a member that is an object.
fn parts<'a>(
    members: &BTreeMap<String, &'a [u8]>,
    name: &str,
) -> Option<BTreeMap<String, &'a [u8]>> {
    sections(members.get(name)?)
}

/// Returns the members of an archive; `None` if it is none.
fn members(content: &[u8]) -> Option<BTreeMap<String, &[u8]>> {
    let archive = ArchiveFile::parse(content).ok()?;
    let members = archive.members().map(|member| {
        let member = member.ok()?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        Some((name, member.data(content).ok()?))
    });
    members.collect()
}

/// Returns the sections of an object; `None` if it is none.
fn sections(content: &[u8]) -> Option<BTreeMap<String, &[u8]>> {
    let object = object::File::parse(content).ok()?;
    let sections = object.sections().map(|section| {
        let name = section.name().unwrap_or_default().to_owned();
        (name, section.data().unwrap_or_default())
    });
    Some(sections.collect())
}
