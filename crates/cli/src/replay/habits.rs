//! What people do beside talking: they change, take back, react to and put away what was said, and are muted. From a script to what is played of it, in one
//! order, by the dice of a seed alone. No I/O; knows no server and no device.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    record::Manner,
    script::{Act, Script, SpeakerId},
};

/// Of so many messages one is changed, by turns edited and recalled; and of so many one is reacted to.
const CHANGED_ONE_IN: usize = 50;
const REACTED_ONE_IN: usize = 6;
/// Of so many messages one is hidden by somebody who sees it, for themselves, and one is the last of those that somebody clears.
const HIDDEN_ONE_IN: usize = 30;
const CLEARED_ONE_IN: usize = 120;
/// Behind one of so many messages in the group its author is muted, for so many lines.
const MUTED_ONE_IN: usize = 60;
const MUTED_FOR: std::ops::Range<usize> = 20..80;
/// Lines from a message to what is done to it, and from that to what is done next. 0: at once, while it is still on its way.
const CHANGED_AFTER: std::ops::Range<usize> = 0..30;
/// So late that most messages have their places by then, which whoever does this must know.
const SEEN_AFTER: std::ops::Range<usize> = 10..60;
const EDITS_MAX: usize = 3;
/// Chances of what is recalled: that it was edited before, and that its author edits it afterwards, which the server must refuse.
const EDITED_BEFORE_RECALL: f64 = 1.0 / 2.0;
const EDITED_AFTER_RECALL: f64 = 1.0 / 3.0;
/// Chances that who reacted thinks of something else, or takes it back.
const REACTED_OTHERWISE: f64 = 1.0 / 3.0;
const TAKEN_BACK: f64 = 1.0 / 3.0;
/// Of which a user chooses so many that stand beside each other.
const EMOJIS: [&str; 6] = ["👍", "🎉", "😂", "🦆", "+1", "👀"];
const EMOJIS_MAX: usize = 2;

/// What somebody does with a line of the script.
#[derive(PartialEq, Eq, Debug)]
pub struct Turn {
    /// Index into the acts of the script.
    pub line: usize,
    pub speaker: SpeakerId,
    pub deed: Deed,
}

/// Whatever takes a place in a log has a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    Join,
    Leave,
    Rename(String),
    Say {
        number: usize,
        place: Where,
        text: String,
        manner: Manner,
        fate: Fate,
    },
    /// Of the speaker's own message.
    Edit {
        number: usize,
        target: usize,
        place: Where,
        text: String,
    },
    Recall {
        number: usize,
        target: usize,
        place: Where,
    },
    React {
        number: usize,
        target: usize,
        place: Where,
        emojis: Vec<String>,
        /// The reaction that this one replaces: without it there is nothing to be replaced.
        instead_of: Option<usize>,
    },
    /// For the speaker alone.
    PutAway {
        target: usize,
        place: Where,
        how: How,
    },
    /// By the group's owner, to the speaker.
    Mute,
    Unmute,
    /// By the group's owner.
    Announce(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// This message.
    Hide,
    /// All up to this message.
    Clear,
}

/// A conversation, as its speaker sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    Group,
    With(SpeakerId),
}

/// Whether the words of a message stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Stays,
    /// Its text is one that can be looked for afterwards.
    Changes,
}

/// The script with all that is done beside it.
pub fn live(script: &Script, seed: u64) -> Vec<Turn> {
    let mut life = Life {
        dice: StdRng::seed_from_u64(seed),
        numbers: 0,
        last_line: script.acts.len().saturating_sub(1),
        members: BTreeSet::new(),
        changed: OneIn::new(CHANGED_ONE_IN),
        reacted: OneIn::new(REACTED_ONE_IN),
        hidden: OneIn::new(HIDDEN_ONE_IN),
        cleared: OneIn::new(CLEARED_ONE_IN),
        muted: OneIn::new(MUTED_ONE_IN),
        turns: BTreeMap::new(),
    };
    for (line, (speaker, act)) in script.acts.iter().enumerate() {
        life.follow(line, *speaker, act);
    }
    life.turns.into_values().flatten().collect()
}

struct Life {
    dice: StdRng,
    numbers: usize,
    last_line: usize,
    /// Of the group, as far as the script has come.
    members: BTreeSet<SpeakerId>,
    changed: OneIn,
    reacted: OneIn,
    hidden: OneIn,
    cleared: OneIn,
    muted: OneIn,
    /// By their lines.
    turns: BTreeMap<usize, Vec<Turn>>,
}

impl Life {
    fn follow(&mut self, line: usize, speaker: SpeakerId, act: &Act) {
        match act {
            Act::Join => {
                self.members.insert(speaker);
                self.plan(line, speaker, Deed::Join);
            }
            Act::Leave => {
                self.members.remove(&speaker);
                self.plan(line, speaker, Deed::Leave);
            }
            Act::Rename(nick) => self.plan(line, speaker, Deed::Rename(nick.clone())),
            Act::Say { text, to } => {
                for place in [Some(Where::Group), to.map(Where::With)].into_iter().flatten() {
                    self.say(line, speaker, place, (text, Manner::Talk));
                }
            }
            Act::Emote(text) => self.say(line, speaker, Where::Group, (text, Manner::Action)),
            Act::Topic(text) => self.plan(line, speaker, Deed::Announce(text.clone())),
        }
    }

    fn plan(&mut self, line: usize, speaker: SpeakerId, deed: Deed) {
        let line = line.min(self.last_line);
        self.turns.entry(line).or_default().push(Turn { line, speaker, deed });
    }

    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    fn say(&mut self, line: usize, speaker: SpeakerId, place: Where, (text, manner): (&str, Manner)) {
        let number = self.number();
        let fate = if self.changed.comes(&mut self.dice) { Fate::Changes } else { Fate::Stays };
        self.plan(line, speaker, Deed::Say { number, place, text: text.to_owned(), manner, fate });
        if fate == Fate::Changes {
            let is_recalled = self.changed.times.is_multiple_of(2);
            self.change(line, speaker, (number, place, text), is_recalled);
        }
        if self.reacted.comes(&mut self.dice) {
            self.react(line, speaker, number, place);
        }
        if self.hidden.comes(&mut self.dice) {
            self.put_away(line, speaker, (number, place), How::Hide);
        }
        if self.cleared.comes(&mut self.dice) {
            self.put_away(line, speaker, (number, place), How::Clear);
        }
        if place == Where::Group && self.muted.comes(&mut self.dice) {
            self.plan(line, speaker, Deed::Mute);
            let until = line + self.dice.random_range(MUTED_FOR);
            self.plan(until, speaker, Deed::Unmute);
        }
    }

    fn change(
        &mut self,
        mut line: usize,
        speaker: SpeakerId,
        (target, place, text): (usize, Where, &str),
        is_recalled: bool,
    ) {
        let edits = match is_recalled {
            true => usize::from(self.dice.random_bool(EDITED_BEFORE_RECALL)),
            false => self.dice.random_range(1..=EDITS_MAX),
        };
        let recalls = usize::from(is_recalled);
        let in_vain = usize::from(self.dice.random_bool(EDITED_AFTER_RECALL)) * recalls;
        for step in 0..edits + recalls + in_vain {
            line += self.dice.random_range(CHANGED_AFTER);
            let number = self.number();
            let deed = match is_recalled && step == edits {
                true => Deed::Recall { number, target, place },
                false => Deed::Edit { number, target, place, text: text.to_owned() },
            };
            self.plan(line, speaker, deed);
        }
    }

    /// Somebody who sees what the author says there, and what the place is to them.
    fn somebody(&mut self, author: SpeakerId, place: Where) -> Option<(SpeakerId, Where)> {
        let all: Vec<_> = match place {
            Where::Group => self.members.iter().copied().collect(),
            Where::With(peer) => vec![author, peer],
        };
        let speaker = *all.get(self.dice.random_range(0..all.len().max(1)))?;
        let is_other = matches!(place, Where::With(_)) && speaker != author;
        Some((speaker, if is_other { Where::With(author) } else { place }))
    }

    fn put_away(&mut self, line: usize, author: SpeakerId, (target, place): (usize, Where), how: How) {
        let Some((speaker, place)) = self.somebody(author, place) else { return };
        let line = line + self.dice.random_range(SEEN_AFTER);
        self.plan(line, speaker, Deed::PutAway { target, place, how });
    }

    fn react(&mut self, mut line: usize, author: SpeakerId, target: usize, place: Where) {
        let Some((speaker, place)) = self.somebody(author, place) else { return };
        let (first, count) = (self.dice.random_range(0..EMOJIS.len()), self.dice.random_range(1..=EMOJIS_MAX));
        let from = |first: usize| EMOJIS.iter().cycle().skip(first).take(count).map(|emoji| (*emoji).to_owned());
        let mut sets = vec![from(first).collect::<Vec<_>>()];
        sets.extend(self.dice.random_bool(REACTED_OTHERWISE).then(|| from(first + 1).collect()));
        sets.extend(self.dice.random_bool(TAKEN_BACK).then(Vec::new));
        let mut instead_of = None;
        for emojis in sets {
            line += self.dice.random_range(SEEN_AFTER);
            let number = self.number();
            self.plan(line, speaker, Deed::React { number, target, place, emojis, instead_of });
            instead_of = Some(number);
        }
    }
}

/// Comes once in each so many, at a place among them that the dice choose.
struct OneIn {
    every: usize,
    counted: usize,
    place: usize,
    times: usize,
}

impl OneIn {
    fn new(every: usize) -> Self {
        Self { every, counted: 0, place: 0, times: 0 }
    }

    fn comes(&mut self, dice: &mut StdRng) -> bool {
        let at = self.counted % self.every;
        if at == 0 {
            self.place = dice.random_range(0..self.every);
        }
        self.counted += 1;
        self.times += usize::from(at == self.place);
        at == self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two who talk to each other and to all.
    fn talk(lines: usize) -> Script {
        let say = |line: usize| Act::Say { text: format!("line {line}"), to: Some(1 - line % 2) };
        let joins = [(0, Act::Join), (1, Act::Join)];
        let acts = joins.into_iter().chain((0..lines).map(|line| (line % 2, say(line)))).collect();
        Script { acts, ..Script::default() }
    }

    #[test]
    fn a_seed_makes_the_same_life_and_another_seed_another() {
        let script = talk(200);
        assert_eq!(live(&script, 7), live(&script, 7));
        assert_ne!(live(&script, 7), live(&script, 8));
    }

    #[test]
    fn one_in_fifty_is_changed_and_both_ways() {
        for seed in 0..20 {
            let life = live(&talk(100), seed);
            let count = |is: fn(&Deed) -> bool| life.iter().filter(|turn| is(&turn.deed)).count();
            assert_eq!(count(|deed| matches!(deed, Deed::Say { .. })), 200);
            assert_eq!(count(|deed| matches!(deed, Deed::Say { fate: Fate::Changes, .. })), 4);
            assert_eq!(count(|deed| matches!(deed, Deed::Recall { .. })), 2);
            assert!(count(|deed| matches!(deed, Deed::Edit { .. })) >= 2);
            assert!(count(|deed| matches!(deed, Deed::React { .. })) >= 33);
            assert!(count(|deed| matches!(deed, Deed::PutAway { how: How::Hide, .. })) >= 6);
            assert!(count(|deed| matches!(deed, Deed::PutAway { how: How::Clear, .. })) >= 1);
        }
    }

    #[test]
    fn what_is_done_to_a_message_is_done_after_it_by_who_may() {
        let life = live(&talk(300), 3);
        let mut said = BTreeMap::new();
        let mut numbers = BTreeSet::new();
        let mut muted = BTreeSet::new();
        for Turn { speaker, deed, .. } in &life {
            match deed {
                Deed::Say { number, .. } => {
                    said.insert(*number, *speaker);
                    assert!(numbers.insert(*number));
                }
                Deed::Edit { number, target, .. } | Deed::Recall { number, target, .. } => {
                    assert_eq!(said.get(target), Some(speaker));
                    assert!(numbers.insert(*number));
                }
                Deed::React { number, target, instead_of, .. } => {
                    assert!(said.contains_key(target) && instead_of.is_none_or(|other| numbers.contains(&other)));
                    assert!(numbers.insert(*number));
                }
                Deed::PutAway { target, .. } => assert!(said.contains_key(target)),
                Deed::Join | Deed::Leave | Deed::Rename(_) | Deed::Announce(_) => {}
                Deed::Mute => _ = muted.insert(*speaker),
                Deed::Unmute => assert!(muted.contains(speaker)),
            }
        }
        assert!(life.is_sorted_by_key(|turn| turn.line));
    }
}
