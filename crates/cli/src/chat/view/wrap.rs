//! Text into rows of a width: between words where there are words, between characters where there are none (Chinese, a long
//! address), never within one.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::chat::input::cells;

/// These never begin a row.
const CLOSING: &str = "，。！？、；：）》」』”’…%,.!?;:)]}";

/// The rows of a text. `taken` cells of the first one are used already.
pub fn wrap(text: &str, width: usize, taken: usize) -> Vec<String> {
    // A character may need two cells.
    let width = width.max(2);
    let mut rows = vec![String::new()];
    let mut used = taken;
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            rows.push(String::new());
            used = 0;
        }
        for word in words(line) {
            add(&mut rows, &mut used, word, width);
        }
    }
    rows
}

/// What stays together: a run without spaces and wide characters, or one wide character with what closes behind it.
fn words(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut before: Option<&str> = None;
    for (at, grapheme) in line.grapheme_indices(true) {
        let breaks = before.is_some_and(|before| {
            let spaces = is_space(before) != is_space(grapheme);
            let wide = cells(before) > 1 || cells(grapheme) > 1;
            !CLOSING.contains(grapheme) && (spaces || (wide && !is_space(grapheme)))
        });
        if breaks {
            words.push(&line[start..at]);
            start = at;
        }
        before = Some(grapheme);
    }
    if start < line.len() {
        words.push(&line[start..]);
    }
    words
}

fn is_space(grapheme: &str) -> bool {
    grapheme.trim().is_empty()
}

fn add(rows: &mut Vec<String>, used: &mut usize, word: &str, width: usize) {
    let wide = cells(word);
    if *used + wide <= width {
        push(rows, word);
        *used += wide;
    } else if word.trim().is_empty() {
        // A space at the end of a row is not carried over.
        *used = width;
    } else if wide <= width {
        rows.push(word.to_owned());
        *used = wide;
    } else {
        for grapheme in word.graphemes(true) {
            if *used + cells(grapheme) > width {
                rows.push(String::new());
                *used = 0;
            }
            push(rows, grapheme);
            *used += cells(grapheme);
        }
    }
}

fn push(rows: &mut [String], text: &str) {
    rows.last_mut().expect("there is always a row").push_str(text);
}

/// The beginning of a line, with `…` if something had to go.
pub fn shorten(line: &str, width: usize) -> String {
    if cells(line) <= width {
        return line.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for grapheme in line.graphemes(true) {
        used += cells(grapheme);
        if used > width {
            break;
        }
        short.push_str(grapheme);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_break_between_words_and_between_chinese_characters() {
        let check = |text: &str, width, rows: &[&str]| assert_eq!(wrap(text, width, 0), rows, "{text}");
        check("one two three", 7, &["one two", "three"]);
        check("鸿雁传书到天涯", 6, &["鸿雁传", "书到天", "涯"]);
        check("鸿雁，传书", 4, &["鸿", "雁，", "传书"]);
        check("try /retry or 你好", 9, &["try ", "/retry or", "你好"]);
        check("http://a.example/long", 8, &["http://a", ".example", "/long"]);
        check("abcdefghij", 4, &["abcd", "efgh", "ij"]);
        check("one\n\ntwo", 10, &["one", "", "two"]);
        check("", 10, &[""]);
        assert_eq!(wrap("one two", 7, 4), ["one", "two"]);
    }

    #[test]
    fn what_is_too_long_is_shortened_by_its_width() {
        assert_eq!(shorten("鸿雁传书", 8), "鸿雁传书");
        assert_eq!(shorten("鸿雁传书", 7), "鸿雁传…");
        assert_eq!(shorten("鸿雁传书", 6), "鸿雁…");
    }
}
