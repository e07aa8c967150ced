//! Whom a text names that is said in a group: `@account` a user, `@all` everybody. A text enters; whom it names is asked of the server, which never
//! looks into texts.

use std::collections::BTreeSet;

use anser_client::{Client, ConversationId, Draft, Error, Mentions};
use anser_proto::limits::{ID_BYTES_MAX, MENTIONS_MAX};

const ALL: &str = "all";
/// They may be part of an account, and at its end rather end a sentence.
const ENDINGS: [char; 9] = ['.', ',', ':', ';', '!', '?', ')', '"', '\''];

/// A text with whom it names. Offline that cannot be known: then it is not sent.
pub async fn draft(client: &Client, conversation: ConversationId, text: impl Into<String>) -> Result<Draft, Error> {
    let mut draft = Draft::text(text);
    draft.mentions = mentions(client, conversation, &draft.content).await?;
    Ok(draft)
}

pub async fn mentions(client: &Client, conversation: ConversationId, text: &str) -> Result<Mentions, Error> {
    let mut words = words(text);
    if words.is_empty() || !matches!(conversation, ConversationId::Group(_)) {
        return Ok(Mentions::default());
    }
    let has_all = words.remove(ALL);
    let accounts: Vec<&str> = words.into_iter().take(MENTIONS_MAX).collect();
    let users = if accounts.is_empty() { Vec::new() } else { client.users_by_account(&accounts).await? };
    let named = Mentions::of(users.into_iter().map(|user| user.user_id));
    Ok(if has_all { named.and_all() } else { named })
}

/// What stands behind an `@` with which a word begins, each once. It may be no account.
fn words(text: &str) -> BTreeSet<&str> {
    let begins = |at: &usize| !text[..*at].ends_with(|before: char| before.is_ascii_alphanumeric());
    let word = |at: usize| {
        let behind = &text[at + 1..];
        let end = behind.find(|char: char| !char.is_ascii_graphic()).unwrap_or(behind.len());
        behind[..end].trim_end_matches(ENDINGS)
    };
    let places = text.match_indices('@').map(|(at, _)| at).filter(begins);
    places.map(word).filter(|word| (1..=ID_BYTES_MAX).contains(&word.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_behind_an_at_may_be_an_account() {
        for (text, expected) in [
            ("hello", &[][..]),
            ("@bob, are you (or @carol.k) there?", &["bob", "carol.k"]),
            ("你好@bob，看看 @all！", &["all", "bob"]),
            ("mail me: alice@example.org", &[]),
            ("@ @, @bob @bob", &["bob"]),
        ] {
            assert_eq!(words(text).into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
