//! Changes of what was said: recalls, edits, reactions; and replies. Queued like messages; see [`Client::send`].

use anser_proto::{ClientMsgId, ConversationId};

use crate::{
    client::{Client, Error, new_id},
    driver::Command,
    engine::{Act, Draft, Edit, Target},
    sending::Sending,
};

/// Each of these is saved and goes out once, after whatever restarts, behind what was sent and changed in its conversation before. Nothing of it shows on this device until the
/// server has stored it: an app that wants to show it at once does so by itself, until the message comes with [`crate::Event::Changed`] as it is then. What the
/// server refuses ends with [`crate::Status::Failed`], and stays in [`Client::unsent`] with its reason until it is cancelled.
///
/// ```no_run
/// # use anser_client::{Client, ConversationId, Draft, Edit, Error, Event};
/// # async fn example(client: &Client, geese: ConversationId) -> Result<(), Error> {
/// let mut events = client.events();
/// let hello = client.send(geese, Draft::text("helo")).await?;
/// // It may still be on its way.
/// client.edit(geese, hello.client_msg_id().clone(), Edit::text("hello")).await?;
/// client.react(geese, 14, ["👍"]).await?;
/// client.reply(geese, 14, Draft::text("yes")).await?;
/// let recall = client.recall(geese, 12).await?;
/// if let Err(why) = recall.sent().await {
///     println!("it is still there: {why}");
/// }
/// while let Some(event) = events.next().await {
///     if let Event::Changed(message) = event {
///         println!("{} is now: {} {:?}", message.server_msg_id, message.content, message.reactions);
///     }
/// }
/// # Ok(())
/// # }
/// ```
impl Client {
    /// Takes the body of a message away for everybody. Its author may for a while, a group's owner and admins longer and of others. Of what is recalled already it
    /// is a success.
    pub async fn recall(&self, conversation: ConversationId, target: impl Into<Target>) -> Result<Sending, Error> {
        self.recall_as(new_id(), conversation, target).await
    }

    /// Like [`Client::recall`] with an id of the caller's: see [`Client::send_as`].
    pub async fn recall_as(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        target: impl Into<Target>,
    ) -> Result<Sending, Error> {
        self.act(client_msg_id, conversation, Act::Recall(target.into())).await
    }

    /// Gives an own message another body, for a while and at most 20 times.
    pub async fn edit(
        &self,
        conversation: ConversationId,
        target: impl Into<Target>,
        edit: Edit,
    ) -> Result<Sending, Error> {
        self.edit_as(new_id(), conversation, target, edit).await
    }

    /// Like [`Client::edit`] with an id of the caller's: see [`Client::send_as`].
    pub async fn edit_as(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        target: impl Into<Target>,
        edit: Edit,
    ) -> Result<Sending, Error> {
        self.act(client_msg_id, conversation, Act::Edit(target.into(), edit)).await
    }

    /// Sets what the user's reactions to a message are, all of them: those that are not named are taken back. At most 5, each 1 to 32 bytes without
    /// blanks; a message has at most 20 different ones.
    pub async fn react<E: Into<String>>(
        &self,
        conversation: ConversationId,
        server_msg_id: u64,
        emojis: impl IntoIterator<Item = E>,
    ) -> Result<Sending, Error> {
        self.react_as(new_id(), conversation, server_msg_id, emojis).await
    }

    /// Like [`Client::react`] with an id of the caller's: see [`Client::send_as`].
    pub async fn react_as<E: Into<String>>(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        server_msg_id: u64,
        emojis: impl IntoIterator<Item = E>,
    ) -> Result<Sending, Error> {
        let emojis = emojis.into_iter().map(Into::into).collect();
        self.act(client_msg_id, conversation, Act::React(server_msg_id, emojis)).await
    }

    /// Sends a message that answers another one of the same conversation: [`Client::send`] with [`Draft::reply_to`].
    pub async fn reply(
        &self,
        conversation: ConversationId,
        server_msg_id: u64,
        mut draft: Draft,
    ) -> Result<Sending, Error> {
        draft.reply_to = Some(server_msg_id);
        self.send(conversation, draft).await
    }

    pub(crate) async fn act(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        act: Act,
    ) -> Result<Sending, Error> {
        self.ask(|reply| Command::Queue { conversation, client_msg_id, act, reply }).await?
    }
}
