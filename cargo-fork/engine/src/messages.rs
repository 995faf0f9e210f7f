//! The compiler's messages in an entry: only what Cargo's own message cache would hold.

use serde::Deserialize;

use crate::Reason;
use crate::roots::Roots;

/// The most bytes of messages that an entry holds.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// Reads the lines of Cargo's message cache for an entry: paths become placeholders.
///
/// # Errors
///
/// [`Reason::MessagesTooLarge`].
pub(crate) fn record(cache: &str, roots: &Roots) -> Result<Vec<String>, Reason> {
    if cache.len() > MAX_BYTES {
        return Err(Reason::MessagesTooLarge);
    }
    Ok(cache.lines().map(|line| roots.normalise(line)).collect())
}

/// Returns the message cache that an entry's messages stand for.
///
/// # Errors
///
/// In a few words, if a line is not a message that Cargo would have cached after a successful
/// compilation: they come from a hook, and are shown to the user.
pub(crate) fn localise(messages: &[String], roots: &Roots) -> Result<String, String> {
    let mut out = String::new();
    for message in messages {
        let line = roots
            .localise(message)
            .ok_or("a message names a place that is not here")?;
        check(&line)?;
        out.push_str(&line);
        out.push('\n');
    }
    if out.len() > MAX_BYTES * 2 {
        return Err("the messages are too large".to_owned());
    }
    Ok(out)
}

/// A message, as far as it must be looked at.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "$message_type")]
    message_type: Option<String>,
    level: Option<String>,
    rendered: Option<String>,
    future_incompat_report: Option<serde_json::Value>,
    unused_extern_names: Option<serde_json::Value>,
}

fn check(line: &str) -> Result<(), String> {
    if line.contains(['\n', '\r']) {
        return Err("a message has more than one line".to_owned());
    }
    let message: Message =
        serde_json::from_str(line).map_err(|error| format!("a message is not valid: {error}"))?;
    let is_diagnostic = message.rendered.is_some()
        && matches!(
            message.level.as_deref(),
            Some("warning" | "note" | "help" | "failure-note")
        );
    let known = match message.message_type.as_deref() {
        Some("diagnostic") => is_diagnostic,
        Some("future_incompat") => message.future_incompat_report.is_some(),
        Some("unused_extern") => message.unused_extern_names.is_some(),
        Some(_) => false,
        // Compilers before the tag existed are told by their fields.
        None => {
            is_diagnostic
                || message.future_incompat_report.is_some()
                || message.unused_extern_names.is_some()
        }
    };
    if known {
        Ok(())
    } else {
        Err("a message is not one that Cargo would keep".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const WARNING: &str =
        r#"{"$message_type":"diagnostic","level":"warning","rendered":"w /nowhere/ws/a.rs {x}\n"}"#;

    fn roots(path: &str) -> Roots {
        let mut roots = Roots::default();
        roots.add("workspace", Path::new(path));
        roots
    }

    #[test]
    fn a_warning_moves_with_the_checkout() {
        let recorded = record(&format!("{WARNING}\n"), &roots("/nowhere/ws")).unwrap();
        let shown = localise(&recorded, &roots("/else/where")).unwrap();
        assert_eq!(
            shown,
            format!("{}\n", WARNING.replace("/nowhere/ws", "/else/where"))
        );
        assert_eq!(
            localise(&recorded, &roots("/nowhere/ws")).unwrap(),
            format!("{WARNING}\n")
        );
    }

    #[test]
    fn only_cached_kinds_are_accepted() {
        let roots = Roots::default();
        for (line, accepted) in [
            (WARNING, true),
            (
                r#"{"$message_type":"future_incompat","future_incompat_report":[]}"#,
                true,
            ),
            (
                r#"{"$message_type":"unused_extern","unused_extern_names":[]}"#,
                true,
            ),
            (&WARNING.replace("warning", "error"), false),
            (
                r#"{"$message_type":"artifact","artifact":"/x/liba.rmeta","emit":"metadata"}"#,
                false,
            ),
            (
                r#"{"$message_type":"section_timing","event":"start"}"#,
                false,
            ),
            ("\u{1b}[2Jplain text", false),
            ("", false),
        ] {
            let messages = record(line, &roots).unwrap();
            let messages = if line.is_empty() {
                vec![String::new()]
            } else {
                messages
            };
            assert_eq!(localise(&messages, &roots).is_ok(), accepted, "`{line}`");
        }
        assert!(localise(&[format!("{WARNING}\n{WARNING}")], &roots).is_err());
    }

    #[test]
    fn too_many_bytes_are_refused() {
        let cache = "x".repeat(MAX_BYTES + 1);
        assert_eq!(
            record(&cache, &Roots::default()),
            Err(Reason::MessagesTooLarge)
        );
    }
}
