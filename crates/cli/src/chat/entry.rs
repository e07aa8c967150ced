//! Who comes into a group, who may not, and what a person is called there: commands enter, calls to the SDK go out.

use anser_client::{Client, Error, GroupId, GroupUpdate, HistoryShown, Join, NewLink};

use super::{
    command::Wrong,
    perform::find_all,
    update::{Answer, Deed},
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Who lets others in.
    By(Join),
    Show(HistoryShown),
    Ban(Vec<String>),
    Unban(Vec<String>),
    /// Who waits to be let in.
    Waiting,
    Answer {
        accounts: Vec<String>,
        accept: bool,
    },
    /// A link for so many; 0: for any number.
    Link(u32),
    /// All links that the person may revoke.
    Unlink,
    /// The person's own name in the group; empty: none.
    Alias(String),
}

/// None: the command is about something else.
pub fn parse(name: &str, words: &[String]) -> Option<Result<Entry, Wrong>> {
    let some = |name, make: fn(Vec<String>) -> Entry| match words.is_empty() {
        true => Err(Wrong::Needs(name)),
        false => Ok(make(words.to_vec())),
    };
    let first = words.first().map(String::as_str);
    Some(match name {
        "/entry" => match first {
            Some("free") => Ok(Entry::By(Join::Free)),
            Some("approval") => Ok(Entry::By(Join::Approval)),
            Some("closed") => Ok(Entry::By(Join::Closed)),
            _ => Err(Wrong::Needs("/entry")),
        },
        "/history" => match first.map(|word| (word, word.parse())) {
            Some(("none", _)) => Ok(Entry::Show(HistoryShown::None)),
            Some(("all", _)) => Ok(Entry::Show(HistoryShown::All)),
            Some((_, Ok(last))) => Ok(Entry::Show(HistoryShown::Last(last))),
            _ => Err(Wrong::Needs("/history")),
        },
        "/ban" => some("/ban", Entry::Ban),
        "/unban" => some("/unban", Entry::Unban),
        "/waiting" => Ok(Entry::Waiting),
        "/approve" => some("/approve", |accounts| Entry::Answer { accounts, accept: true }),
        "/reject" => some("/reject", |accounts| Entry::Answer { accounts, accept: false }),
        "/link" => match first.map(str::parse) {
            None => Ok(Entry::Link(0)),
            Some(Ok(uses)) => Ok(Entry::Link(uses)),
            Some(Err(_)) => Err(Wrong::Needs("/link")),
        },
        "/unlink" => Ok(Entry::Unlink),
        "/alias" => Ok(Entry::Alias(words.join(" "))),
        _ => return None,
    })
}

pub async fn perform(client: &Client, group: GroupId, entry: Entry) -> Result<Answer, Error> {
    let accounts = match &entry {
        Entry::Ban(accounts) | Entry::Unban(accounts) | Entry::Answer { accounts, .. } => accounts.clone(),
        _ => Vec::new(),
    };
    let users = match find_all(client, accounts).await? {
        Ok(users) => users,
        Err(nobody) => return Ok(Answer::Nobody(nobody)),
    };
    let mut update = GroupUpdate::default();
    match entry {
        Entry::By(join) => update.join = Some(join),
        Entry::Show(history) => update.history = Some(history),
        Entry::Ban(_) => return client.ban(group, &users).await.map(|_| Answer::Done(Deed::Banned)),
        Entry::Unban(_) => return client.unban(group, &users).await.map(|_| Answer::Done(Deed::Unbanned)),
        Entry::Waiting => return client.join_requests(group, None).await.map(Answer::Waiting),
        Entry::Answer { accept, .. } => {
            let answered = client.answer_join_requests(group, &users, accept).await;
            return answered.map(|_| Answer::Done(Deed::Answered));
        }
        Entry::Link(max_uses) => {
            let link = client.create_link(group, NewLink { max_uses, ..NewLink::default() }).await;
            return link.map(|link| Answer::Done(Deed::Linked(link.token)));
        }
        Entry::Unlink => {
            for link in client.links(group).await? {
                client.revoke_link(group, link.link_id).await?;
            }
            return Ok(Answer::Done(Deed::Unlinked));
        }
        Entry::Alias(nickname) => {
            return client.set_group_nickname(group, nickname).await.map(|()| Answer::Done(Deed::Told));
        }
    }
    Ok(Answer::Group(Some(Box::new(client.update_group(group, update).await?))))
}

pub async fn join(client: &Client, token: &str, text: String) -> Result<Answer, Error> {
    Ok(match client.join(token, text).await? {
        Some(group) => Answer::GroupMade(Box::new(group)),
        None => Answer::Done(Deed::Waits),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood() {
        let check = |line: &str, entry: Entry| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(parse(&words[0], &words[1..]), Some(Ok(entry)), "{line}");
        };
        check("/entry approval", Entry::By(Join::Approval));
        check("/history 50", Entry::Show(HistoryShown::Last(50)));
        check("/history all", Entry::Show(HistoryShown::All));
        check("/ban bob", Entry::Ban(vec!["bob".into()]));
        check("/reject bob carol", Entry::Answer { accounts: vec!["bob".into(), "carol".into()], accept: false });
        check("/link", Entry::Link(0));
        check("/link 5", Entry::Link(5));
        check("/alias The goose", Entry::Alias("The goose".into()));
        for needs in ["/entry", "/history", "/ban", "/approve"] {
            assert_eq!(parse(needs, &[]), Some(Err(Wrong::Needs(needs))));
        }
        assert_eq!(parse("/quit", &[]), None);
    }
}
