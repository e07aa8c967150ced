//! Who waits to be let into a group, who lets them in, and who is told how many wait.

use anser_proto::{GroupId, UserId, limits::JOIN_REQUESTS_MAX};

use super::{
    change_members::{Done, Operation},
    joining::{Comer, let_in, may_be_put},
    link::count_use,
};
use crate::{
    Change, JOIN_REQUESTS_OF_A_GROUP, Now, Refusal, Role,
    facts::{Facts, Stop, of_each},
    questions,
    rows::{JoinRequestRow, Thing},
    steps::distinct,
};

/// Those of one group. Nothing is asked as long as none of them comes or goes.
pub(super) struct Requests {
    group: GroupId,
    open: Option<Open>,
}

struct Open {
    before: u64,
    now: u64,
    /// Who is told.
    overseers: Vec<UserId>,
}

impl Requests {
    pub(super) fn of(group: GroupId) -> Self {
        Self { group, open: None }
    }

    fn known(&mut self, facts: &mut Facts<'_>) -> Result<&mut Open, Stop> {
        if self.open.is_none() {
            let (before, overseers) =
                (questions::requests_to_join(facts, self.group)?, questions::overseers_of(facts, self.group)?);
            self.open = Some(Open { before, now: before, overseers });
        }
        Ok(self.open.as_mut().expect("it is known now"))
    }

    pub(super) fn must_have_room(&mut self, facts: &mut Facts<'_>, more: usize) -> Result<(), Stop> {
        match self.known(facts)?.now + more as u64 <= JOIN_REQUESTS_MAX.into() {
            true => Ok(()),
            false => Err(Refusal::Limit { what: JOIN_REQUESTS_OF_A_GROUP, max: JOIN_REQUESTS_MAX }.into()),
        }
    }

    /// There was none of the user's.
    pub(super) fn open(&mut self, facts: &mut Facts<'_>, user: UserId, row: JoinRequestRow) -> Result<(), Stop> {
        self.known(facts)?.now += 1;
        facts.tables.join_requests.set((self.group, user), Some(row));
        Ok(())
    }

    /// Whatever becomes of it, it is open no more.
    pub(super) fn close(&mut self, facts: &mut Facts<'_>, user: UserId) -> Result<(), Stop> {
        if facts.join_request(self.group, user)?.is_some() {
            self.known(facts)?.now -= 1;
            facts.tables.join_requests.set((self.group, user), None);
        }
        Ok(())
    }

    /// Tells the owner and admins how many there are now, if that is another number.
    pub(super) fn tell(self, facts: &mut Facts<'_>, done: &mut Done) -> Result<(), Stop> {
        let Some(open) = self.open else { return Ok(()) };
        done.waiting = Some(open.now);
        if open.now != open.before {
            done.changes.extend(tell(facts, self.group, open.overseers, open.now)?);
        }
        Ok(())
    }
}

fn tell(facts: &mut Facts<'_>, group: GroupId, users: Vec<UserId>, open: u64) -> Result<Vec<(UserId, Change)>, Stop> {
    let now = Now::JoinRequests(group, u32::try_from(open).unwrap_or(u32::MAX));
    of_each(users, |user| {
        let mailbox_seq = facts.stamp_thing(user, Thing::JoinRequests(group))?;
        Ok((user, Change { mailbox_seq, now: now.clone() }))
    })
}

/// Those who may answer requests since, and did not before, are told how many there are.
pub(super) fn tell_risen(facts: &mut Facts<'_>, group: GroupId, done: &mut Done) -> Result<(), Stop> {
    let mut risen = Vec::new();
    for (user, _) in &done.stamped {
        let is_told = done.changes.iter().any(|(told, _)| told == user);
        if !is_told && facts.membership(group, *user)?.is_some_and(|stay| stay.role > Role::Member) {
            risen.push(*user);
        }
    }
    if risen.is_empty() {
        return Ok(());
    }
    let open = match done.waiting {
        Some(open) => open,
        None => questions::requests_to_join(facts, group)?,
    };
    if open > 0 {
        done.changes.extend(tell(facts, group, risen, open)?);
    }
    Ok(())
}

/// By a member, where the owner and admins decide.
pub(super) fn propose(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    let (group, proposer) = (operation.group, operation.operator.user);
    let (mut done, mut requests, mut new) = (Done::default(), Requests::of(group), Vec::new());
    for user in users {
        if facts.join_request(group, *user)?.is_none() {
            new.push(*user);
        }
    }
    if new.is_empty() {
        return Ok(done);
    }
    requests.must_have_room(facts, new.len())?;
    let since_ms = facts.now_ms();
    for user in new {
        let row = JoinRequestRow { proposed_by: Some(proposer), link_id: None, text: "".into(), since_ms };
        requests.open(facts, user, row)?;
    }
    facts.answer(proposer, group)?;
    requests.tell(facts, &mut done)?;
    Ok(done)
}

/// Whoever does not wait any more was let in or turned away by somebody before, or came another way.
pub(super) fn approve(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    let group = operation.group;
    let waiting = waiting_of(facts, operation, users)?;
    // What stands between the two now may have come since.
    let comers = of_each(&waiting, |(user, request)| match request.proposed_by {
        Some(proposer) if !may_be_put(facts, proposer, *user)? => Ok(None),
        invited_by => Ok(Some(Comer { user: *user, invited_by })),
    })?;
    let comers: Vec<_> = comers.into_iter().flatten().collect();
    let mut done = match comers.is_empty() {
        true => Done::default(),
        false => let_in(facts, group, operation.operator, &comers)?,
    };
    let mut requests = Requests::of(group);
    of_each(waiting, |(user, JoinRequestRow { link_id, .. })| {
        requests.close(facts, user)?;
        link_id.map_or(Ok(()), |link_id| count_use(facts, group, link_id))
    })?;
    requests.tell(facts, &mut done)?;
    Ok(done)
}

pub(super) fn reject(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    let (mut done, mut requests) = (Done::default(), Requests::of(operation.group));
    for (user, _) in waiting_of(facts, operation, users)? {
        requests.close(facts, user)?;
    }
    requests.tell(facts, &mut done)?;
    Ok(done)
}

/// Those of them who wait, for whoever may answer them.
fn waiting_of(
    facts: &mut Facts<'_>,
    operation: &Operation<'_>,
    users: &[UserId],
) -> Result<Vec<(UserId, JoinRequestRow)>, Stop> {
    if operation.stay.role == Role::Member {
        return Err(Refusal::Forbidden.into());
    }
    let mut waiting = Vec::new();
    for user in distinct(users) {
        waiting.extend(facts.join_request(operation.group, user)?.map(|request| (user, request)));
    }
    Ok(waiting)
}
