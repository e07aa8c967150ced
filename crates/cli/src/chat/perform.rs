//! Does what an update asks for: effects enter, calls to the SDK go out, answers come back. Decides nothing.

use anser_client::{
    Act, Changed, Client, ClientMsgId, Contact, ContactState, ConversationId, Error, GroupId, NewGroup, UserId,
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::{Duration, timeout},
};

use super::update::{Answer, Deed, Effect, MembersAct, OwnAct, PeopleAct};
use super::{entry, naming};

/// What waits to be done in order; beyond it effects are refused.
const QUEUE_MAX: usize = 1024;
/// Questions to the server at one time.
const ASKED_MAX: usize = 64;
/// Older messages come by so many.
const PAGE: u32 = 100;
/// Readers whose names are looked up.
const NAMED_MAX: usize = 200;
/// How long what was begun may take when the person leaves.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// Two lanes: what must happen in the order in which it was asked (messages above all), and questions, each of which may take its
/// time without holding up the rest.
pub struct Performer {
    client: Client,
    ordered: mpsc::Sender<Effect>,
    lane: JoinHandle<()>,
    answers: mpsc::Receiver<Answer>,
    asked: JoinSet<Option<Answer>>,
}

impl Performer {
    pub fn new(client: Client) -> Self {
        let (ordered, mut effects) = mpsc::channel(QUEUE_MAX);
        let (tell, answers) = mpsc::channel(QUEUE_MAX);
        let lane_client = client.clone();
        let lane = tokio::spawn(async move {
            while let Some(effect) = effects.recv().await {
                if let Some(answer) = perform(&lane_client, effect).await
                    && tell.send(answer).await.is_err()
                {
                    return;
                }
            }
        });
        Self { client, ordered, lane, answers, asked: JoinSet::new() }
    }

    /// Begins an effect. What is read from the local store is answered at once, so that no event that comes later is
    /// overtaken by it.
    pub async fn begin(&mut self, effect: Effect) -> Option<Answer> {
        match effect {
            Effect::ReadSessions | Effect::ReadUnsent => perform(&self.client, effect).await,
            Effect::Send { .. }
            | Effect::Change { .. }
            | Effect::Discard { .. }
            | Effect::MarkRead { .. }
            | Effect::LookAt(_)
            | Effect::Type(_)
            | Effect::Attend(_) => self.ordered.try_send(effect).err().map(|full| refuse(full.into_inner())),
            _ if self.asked.len() >= ASKED_MAX => Some(refuse(effect)),
            _ => {
                let client = self.client.clone();
                self.asked.spawn(async move { perform(&client, effect).await });
                None
            }
        }
    }

    /// The next answer. Cancel-safe.
    pub async fn next(&mut self) -> Answer {
        loop {
            tokio::select! {
                Some(answer) = self.answers.recv() => return answer,
                Some(done) = self.asked.join_next() => match done {
                    Ok(Some(answer)) => return answer,
                    Ok(None) => {}
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => return Answer::Failed(Error::Closed),
                    },
                },
                else => std::future::pending().await,
            }
        }
    }

    /// Lets what was sent be saved, then says goodbye.
    pub async fn leave(self) {
        drop((self.ordered, self.answers));
        // Whatever does not end in time was not promised to the person.
        let _ = timeout(LEAVE_MAX, self.lane).await;
        self.client.close().await;
    }
}

/// What is said of an effect for which there is no room.
fn refuse(effect: Effect) -> Answer {
    match effect {
        Effect::Send { client_msg_id, .. } => Answer::NotSent { client_msg_id, error: Error::Busy },
        Effect::ReadHistory { conversation, .. } => Answer::History { conversation, page: Err(Error::Busy) },
        Effect::Find(account) => Answer::Found { account, user: Err(Error::Busy) },
        Effect::ReadGroup(_) => Answer::Group(None),
        _ => Answer::Failed(Error::Busy),
    }
}

async fn perform(client: &Client, effect: Effect) -> Option<Answer> {
    match effect {
        // The loop does that.
        Effect::Quit => None,
        Effect::Send { conversation, client_msg_id, content, reply_to } => {
            let sent = send(client, conversation, &client_msg_id, content, reply_to).await;
            sent.err().map(|error| Answer::NotSent { client_msg_id, error })
        }
        Effect::Change { conversation, client_msg_id, act } => {
            failure(change(client, conversation, client_msg_id, act).await)
        }
        Effect::Discard { conversation, client_msg_id } => failure(client.cancel(conversation, client_msg_id).await),
        Effect::Own { conversation, act } => {
            answer(act_alone(client, conversation, act).await.map(|()| Answer::Done(Deed::Own(act))))
        }
        Effect::WhoRead { group, id } => answer(who_read(client, group, id).await),
        Effect::MarkRead { conversation, server_msg_id } => {
            failure(client.mark_read(conversation, server_msg_id).await)
        }
        Effect::LookAt(conversation) => failure(client.look_at(conversation).await),
        Effect::Type(conversation) => failure(client.typing(conversation).await),
        Effect::Attend(attention) => failure(client.set_attention(attention).await),
        Effect::ReadSessions => answer(client.sessions().await.map(Answer::Sessions)),
        Effect::ReadUnsent => answer(client.unsent().await.map(Answer::Unsent)),
        Effect::ReadHistory { conversation, before } => {
            let page = client.history(conversation, before, PAGE).await;
            Some(Answer::History { conversation, page })
        }
        Effect::Find(account) => {
            let user = client.users_by_account(&[&account]).await.map(|users| users.into_iter().next());
            Some(Answer::Found { account, user })
        }
        Effect::LookUp(users) => answer(client.users(&users).await.map(Answer::Users)),
        Effect::CreateGroup { name, accounts } => answer(create_group(client, name, accounts).await),
        Effect::Members { group, accounts, act } => answer(change_members(client, group, accounts, act).await),
        Effect::ChangeGroup { group, update } => {
            answer(client.update_group(group, update).await.map(|group| Answer::Group(Some(Box::new(group)))))
        }
        Effect::Enter { group, entry } => answer(entry::perform(client, group, entry).await),
        Effect::Join { token, text } => answer(entry::join(client, &token, text).await),
        Effect::Dissolve(group) => answer(client.dissolve(group).await.map(|()| Answer::Done(Deed::Told))),
        Effect::Leave(group) => answer(client.leave(group).await.map(|()| Answer::Done(Deed::Left))),
        // A former member is told nothing, and nothing depends on it.
        Effect::ReadGroup(group) => Some(Answer::Group(client.group(group).await.ok().map(Box::new))),
        Effect::ListMembers(group) => {
            answer(client.members(group, None).await.map(|members| Answer::Members { group, members }))
        }
        Effect::ListContacts => answer(contacts(client).await),
        Effect::ListPins(conversation) => answer(client.pins(conversation).await.map(Answer::Pins)),
        Effect::ListDevices => answer(client.devices().await.map(Answer::Devices)),
        Effect::Revoke(device) => answer(revoke(client, device).await),
        Effect::ReadRequests => answer(requests(client).await),
        Effect::People { account, act } => answer(deal_with(client, account, act).await),
        Effect::Rename(nickname) => answer(rename(client, nickname).await),
        Effect::Sign(signature) => answer(sign(client, signature).await),
        Effect::Show(account) => answer(show(client, account).await),
    }
}

async fn send(
    client: &Client,
    conversation: ConversationId,
    id: &ClientMsgId,
    content: String,
    reply_to: Option<u64>,
) -> Result<(), Error> {
    let mut draft = naming::draft(client, conversation, content).await?;
    draft.reply_to = reply_to;
    client.send_as(id.clone(), conversation, draft).await.map(drop)
}

async fn change(client: &Client, conversation: ConversationId, id: ClientMsgId, act: Act) -> Result<(), Error> {
    let queued = match act {
        Act::Recall(target) => client.recall_as(id, conversation, target).await,
        Act::Edit(target, mut edit) => {
            edit.mentions = naming::mentions(client, conversation, &edit.content).await?;
            client.edit_as(id, conversation, target, edit).await
        }
        Act::React(target, emojis) => client.react_as(id, conversation, target, emojis).await,
        Act::Pin(target) => client.pin_as(id, conversation, target).await,
        Act::Unpin(target) => client.unpin_as(id, conversation, target).await,
        _ => return Ok(()),
    };
    queued.map(drop)
}

async fn who_read(client: &Client, group: GroupId, id: u64) -> Result<Answer, Error> {
    let readers = client.who_read(group, &[id]).await?.pop();
    let named = readers.iter().flat_map(|readers| readers.read.iter().chain(&readers.unread));
    let named: Vec<UserId> = named.copied().take(NAMED_MAX).collect();
    let names = if named.is_empty() { Vec::new() } else { client.users(&named).await? };
    Ok(Answer::Readers { id, readers, names })
}

async fn act_alone(client: &Client, conversation: ConversationId, act: OwnAct) -> Result<(), Error> {
    match act {
        OwnAct::Top(top) => client.set_pinned(conversation, top).await,
        OwnAct::Snooze(until_ms) => client.set_quiet(conversation, until_ms).await,
        OwnAct::MarkUnread => client.set_marked_unread(conversation, true).await,
        OwnAct::Clear(through) => client.clear_session(conversation, through).await,
        OwnAct::Close(through) => client.remove_session(conversation, through).await,
        OwnAct::Hide(id) => client.hide_messages(conversation, &[id]).await,
    }
}

async fn rename(client: &Client, nickname: String) -> Result<Answer, Error> {
    let mut change = Changed::default();
    change.nickname = Some(nickname);
    Ok(Answer::Done(Deed::Renamed(client.update_profile(change).await?.nickname)))
}

async fn sign(client: &Client, signature: String) -> Result<Answer, Error> {
    let mut change = Changed::default();
    change.signature = Some(signature);
    client.update_profile(change).await.map(|_| Answer::Done(Deed::Signed))
}

async fn show(client: &Client, account: String) -> Result<Answer, Error> {
    let found = client.users_by_account(&[&account]).await?.pop();
    Ok(found.map_or_else(|| Answer::Nobody(vec![account]), |user| Answer::Done(Deed::Shown(user))))
}

/// Of what is told only when it fails.
fn failure(done: Result<(), Error>) -> Option<Answer> {
    done.err().map(Answer::Failed)
}

fn answer(answer: Result<Answer, Error>) -> Option<Answer> {
    Some(answer.unwrap_or_else(Answer::Failed))
}

async fn create_group(client: &Client, name: String, accounts: Vec<String>) -> Result<Answer, Error> {
    match find_all(client, accounts).await? {
        Ok(members) => {
            let mut new = NewGroup::default();
            (new.name, new.members) = (name, members);
            Ok(Answer::GroupMade(Box::new(client.create_group(new).await?)))
        }
        Err(nobody) => Ok(Answer::Nobody(nobody)),
    }
}

async fn change_members(
    client: &Client,
    group: GroupId,
    accounts: Vec<String>,
    act: MembersAct,
) -> Result<Answer, Error> {
    let users = match find_all(client, accounts).await? {
        Ok(users) => users,
        Err(nobody) => return Ok(Answer::Nobody(nobody)),
    };
    let (changed, deed) = match act {
        MembersAct::Invite => (client.invite(group, &users).await, Deed::Invited),
        MembersAct::Remove => (client.remove(group, &users).await, Deed::Removed),
        MembersAct::Promote => (client.promote(group, &users).await, Deed::Told),
        MembersAct::Demote => (client.demote(group, &users).await, Deed::Told),
        MembersAct::Transfer => (client.transfer(group, users[0]).await, Deed::Told),
        MembersAct::Mute(until_ms) => (client.mute(group, &users, until_ms).await, Deed::Told),
    };
    changed.map(|_| Answer::Done(deed))
}

async fn contacts(client: &Client) -> Result<Answer, Error> {
    Ok(Answer::Contacts { contacts: client.contacts().await?, blocked: client.blocked().await? })
}

async fn revoke(client: &Client, begins: String) -> Result<Answer, Error> {
    let devices = client.devices().await?;
    let mut meant = devices.into_iter().filter(|device| device.device_id.starts_with(&begins));
    match (meant.next(), meant.next()) {
        (Some(device), None) => client.revoke_device(device.device_id).await.map(|()| Answer::Done(Deed::Revoked)),
        _ => Ok(Answer::NoDevice(begins)),
    }
}

async fn requests(client: &Client) -> Result<Answer, Error> {
    let contacts = client.contacts().await?.into_iter();
    let asking = contacts.filter(|contact| contact.state == ContactState::Asking);
    Ok(Answer::Requests(asking.map(|contact| contact.user).collect()))
}

async fn deal_with(client: &Client, account: String, act: PeopleAct) -> Result<Answer, Error> {
    let user = match find_all(client, vec![account]).await? {
        Ok(users) => users[0],
        Err(nobody) => return Ok(Answer::Nobody(nobody)),
    };
    let deed = match act {
        PeopleAct::Add(text) => client.request_contact(user, text).await.map(|()| Deed::Asked),
        PeopleAct::Drop => drop_contact(client, user).await.map(|()| Deed::Dropped),
        PeopleAct::Block => client.block(user).await.map(|()| Deed::Blocked),
        PeopleAct::Unblock => client.unblock(user).await.map(|()| Deed::Unblocked),
    };
    deed.map(Answer::Done)
}

async fn drop_contact(client: &Client, user: UserId) -> Result<(), Error> {
    let contacts = client.contacts().await?;
    let asks = |contact: &Contact| contact.user.user_id == user && contact.state == ContactState::Asking;
    if contacts.iter().any(asks) { client.answer_contact(user, false).await } else { client.remove_contact(user).await }
}

/// The users with these accounts, or the accounts that nobody has.
pub async fn find_all(client: &Client, accounts: Vec<String>) -> Result<Result<Vec<UserId>, Vec<String>>, Error> {
    if accounts.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let asked: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let users = client.users_by_account(&asked).await?;
    let (_, nobody): (Vec<_>, Vec<_>) =
        accounts.into_iter().partition(|account| users.iter().any(|user| user.account == *account));
    if nobody.is_empty() { Ok(Ok(users.into_iter().map(|user| user.user_id).collect())) } else { Ok(Err(nobody)) }
}
