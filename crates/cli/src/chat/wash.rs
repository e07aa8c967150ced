//! Other people's text made safe to show: what enters may be anything, what leaves cannot steer a terminal.

/// Leaves out control characters (an escape sequence could rewrite the screen, or the clipboard) and those that
/// turn the direction of what follows (a name could pose as another). Line ends stay, a tab becomes spaces.
pub fn lines(text: &str) -> String {
    let mut washed = String::with_capacity(text.len());
    for char in text.replace("\r\n", "\n").chars() {
        match char {
            '\n' => washed.push('\n'),
            '\t' => washed.push_str("    "),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {}
            control if control.is_control() => {}
            other => washed.push(other),
        }
    }
    washed
}

/// The same on one line: where a line ends, `⏎` is shown.
pub fn line(text: &str) -> String {
    lines(text.trim_end()).replace('\n', " ⏎ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_steer_the_terminal() {
        assert_eq!(lines("a\u{1b}[2Jb\u{7}\u{9b}c\r\nd\te"), "a[2Jbc\nd    e");
        assert_eq!(line("one\ntwo\n"), "one ⏎ two");
    }

    #[test]
    fn a_name_cannot_pose_as_another_by_its_direction() {
        assert_eq!(line("\u{202e}bob\u{2066}"), "bob");
    }
}
