//! The line in which a person writes: text, and a cursor that moves by what a person takes for one character.
//!
//! Keys enter as motions and edits, text leaves. It must not know what the text is for.

use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation as _;

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Input {
    text: String,
    /// In bytes, always between two graphemes.
    cursor: usize,
}

/// Where to, from the cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Motion {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
}

impl Input {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts text at the cursor. Line ends become `\n`, a tab a space; other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text
            .replace("\r\n", "\n")
            .chars()
            .map(|char| match char {
                '\r' => '\n',
                '\t' => ' ',
                other => other,
            })
            .filter(|char| *char == '\n' || !char.is_control())
            .collect();
        self.text.insert_str(self.cursor, &clean);
        // What was put in may join with what stands behind it (an accent, a flag's second half).
        self.cursor = self.boundary_from(self.cursor + clean.len());
    }

    /// Takes all of it and leaves nothing.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    pub fn go(&mut self, motion: Motion) {
        self.cursor = self.target(motion);
    }

    /// Deletes from the cursor to where the motion leads.
    pub fn delete(&mut self, motion: Motion) {
        let target = self.target(motion);
        let (start, end) = (self.cursor.min(target), self.cursor.max(target));
        self.text.replace_range(start..end, "");
        self.cursor = self.boundary_from(start);
    }

    /// To the line above, in the same column as near as can be; false on the first line.
    pub fn up(&mut self) -> bool {
        let start = self.target(Motion::LineStart);
        let Some(above_end) = start.checked_sub(1) else { return false };
        let above_start = self.text[..above_end].rfind('\n').map_or(0, |at| at + 1);
        self.cursor = at_column(&self.text, above_start, above_end, self.column());
        true
    }

    /// To the line below; false on the last line.
    pub fn down(&mut self) -> bool {
        let end = self.target(Motion::LineEnd);
        if end == self.text.len() {
            return false;
        }
        let below_start = end + 1;
        let below_end = self.text[below_start..].find('\n').map_or(self.text.len(), |at| below_start + at);
        self.cursor = at_column(&self.text, below_start, below_end, self.column());
        true
    }

    /// The lines as they stand in a box of this width, and the cursor's column and line in it.
    pub fn wrapped(&self, width: usize) -> (Vec<String>, (usize, usize)) {
        let mut lines = vec![String::new()];
        let mut column = 0;
        let mut place = (0, 0);
        for (at, grapheme) in self.text.grapheme_indices(true) {
            let wide = cells(grapheme);
            if grapheme != "\n" && column + wide > width {
                lines.push(String::new());
                column = 0;
            }
            if at == self.cursor {
                place = (column, lines.len() - 1);
            }
            if grapheme == "\n" {
                lines.push(String::new());
                column = 0;
            } else {
                lines.last_mut().expect("there is always one").push_str(grapheme);
                column += wide;
            }
        }
        if self.cursor == self.text.len() {
            if column == width {
                lines.push(String::new());
                column = 0;
            }
            place = (column, lines.len() - 1);
        }
        (lines, place)
    }

    fn target(&self, motion: Motion) -> usize {
        let (before, after) = self.text.split_at(self.cursor);
        match motion {
            Motion::Left => before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at),
            Motion::Right => self.cursor + after.graphemes(true).next().map_or(0, str::len),
            Motion::WordLeft => {
                let mut words = before.unicode_word_indices();
                words.next_back().map_or(0, |(at, _)| at)
            }
            Motion::WordRight => {
                let mut words = after.unicode_word_indices();
                words.next().map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
            }
            Motion::LineStart => before.rfind('\n').map_or(0, |at| at + 1),
            Motion::LineEnd => after.find('\n').map_or(self.text.len(), |at| self.cursor + at),
        }
    }

    /// The cursor's distance from the start of its line, in cells.
    fn column(&self) -> usize {
        cells(&self.text[self.target(Motion::LineStart)..self.cursor])
    }

    /// The first place between two graphemes at or behind this byte.
    fn boundary_from(&self, byte: usize) -> usize {
        self.text.grapheme_indices(true).map(|(at, _)| at).find(|at| *at >= byte).unwrap_or(self.text.len())
    }
}

/// How many cells of a terminal a text without line ends takes.
pub fn cells(text: &str) -> usize {
    Span::raw(text).width()
}

fn at_column(text: &str, start: usize, end: usize, column: usize) -> usize {
    let line = &text[start..end];
    let within = line.grapheme_indices(true).map(|(at, _)| at).find(|at| cells(&line[..*at]) >= column);
    start + within.unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Input {
        let mut input = Input::default();
        input.insert(text);
        input
    }

    #[test]
    fn the_cursor_moves_by_what_a_person_takes_for_one_character() {
        let mut input = typed("你e\u{301}👩‍👩‍👧");
        for left in ["你e\u{301}", "你", "", ""] {
            input.go(Motion::Left);
            assert_eq!(&input.text()[..input.cursor], left);
        }
        input.delete(Motion::Right);
        assert_eq!(input.text(), "e\u{301}👩‍👩‍👧");
        input.go(Motion::LineEnd);
        input.delete(Motion::Left);
        assert_eq!(input.text(), "e\u{301}");
    }

    #[test]
    fn what_joins_with_its_neighbour_is_not_cut() {
        let mut input = typed("🇳");
        input.go(Motion::Left);
        input.insert("🇨");
        input.insert("!");
        assert_eq!(input.text(), "🇨🇳!");
    }

    #[test]
    fn lines_above_and_below_keep_the_column() {
        let mut input = typed("好好学习\nab\n天天向上");
        input.go(Motion::Left);
        assert!(input.up() && input.up());
        assert_eq!(input.cursor, "好".len(), "the short line between took the column to its end");
        assert!(!input.up());
        assert!(input.down() && input.down() && !input.down());
    }

    #[test]
    fn words_are_deleted_whole() {
        let mut input = typed("hello, wide world");
        input.delete(Motion::WordLeft);
        assert_eq!(input.text(), "hello, wide ");
        input.go(Motion::LineStart);
        input.delete(Motion::WordRight);
        assert_eq!(input.text(), ", wide ");
        assert_eq!((input.take().as_str(), input.is_empty()), (", wide ", true));
    }

    #[test]
    fn wide_characters_wrap_whole_and_the_cursor_follows() {
        let input = typed("你好吗abc");
        assert_eq!(input.wrapped(5), (vec!["你好".into(), "吗abc".into(), String::new()], (0, 2)));
        assert_eq!(typed("").wrapped(5), (vec![String::new()], (0, 0)));
        assert_eq!(typed("a\n").wrapped(5), (vec!["a".into(), String::new()], (0, 1)));
    }

    #[test]
    fn what_is_pasted_brings_no_control_characters() {
        assert_eq!(typed("a\r\nb\u{1b}[31m\tc").text(), "a\nb[31m c");
    }
}
