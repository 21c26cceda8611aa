//! What the members of groups show of themselves, as far as this client knows it.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use crate::sorted_map::SortedMap;

/// How long an update outweighs a snapshot that does not name its connection, and after which a cleared state
/// is forgotten where there are more than [`MAX_CLEARED`].
///
/// Source: docs/spec/sdk.md#group-states.
const UPDATE_OUTWEIGHS_FOR: Duration = Duration::from_secs(300);

/// How many cleared states of a group are remembered; the oldest are forgotten first.
///
/// Source: docs/spec/sdk.md#group-states.
const MAX_CLEARED: usize = 200;

/// The state of one member of a group, as the service names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStateItem<S> {
    /// The member's connection.
    pub connection_id: String,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_at: u64,
    /// What it is, as the application gets it; `None` once it is cleared.
    pub state: Option<S>,
}

/// The group states that this client has subscribed to, and those that it has set.
///
/// `S` is what the application gets of a member, `O` is a state of this client's own; neither is
/// looked into.
///
/// Source: docs/spec/sdk.md#group-states.
#[derive(Debug)]
pub struct GroupStates<S, O = S> {
    /// By group.
    subscriptions: SortedMap<String, Subscription<S>>,
    /// By group.
    own: SortedMap<String, O>,
}

/// The answer to a question about a group whose states are not subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the group's states are not subscribed to")]
pub struct NotSubscribed;

/// What follows from a new connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// The groups whose states are to be subscribed to again.
    pub subscribe: Vec<String>,
    /// The groups whose known states have changed: they are no longer known.
    pub changed: Vec<String>,
}

#[derive(Debug)]
struct Subscription<S> {
    /// How many requests for it are not answered. What comes before the answer counts.
    requests: usize,
    is_subscribed: bool,
    /// By connection.
    members: SortedMap<String, Member<S>>,
}

#[derive(Debug)]
struct Member<S> {
    updated_at: u64,
    /// `None` for one that was cleared, which is remembered so that no older state comes back.
    state: Option<S>,
    /// When it came, if it came as an update.
    updated: Option<Timestamp>,
}

impl<S, O> Default for GroupStates<S, O> {
    fn default() -> Self {
        Self { subscriptions: SortedMap::default(), own: SortedMap::default() }
    }
}

impl<S, O> GroupStates<S, O> {
    /// A subscription to a group's states is asked for.
    pub fn subscribing(&mut self, group: &str) {
        if let Some(subscription) = self.subscriptions.get_mut(group) {
            subscription.requests = subscription.requests.saturating_add(1);
            return;
        }
        let subscription = Subscription { requests: 1, is_subscribed: false, members: SortedMap::default() };
        self.subscriptions.insert(group.to_owned(), subscription);
    }

    /// The answer: whether the service does it. What is known of an earlier one stays until the next
    /// snapshot.
    pub fn subscribed(&mut self, group: &str, is_done: bool) {
        if let Some(subscription) = self.subscriptions.get_mut(group) {
            subscription.requests = subscription.requests.saturating_sub(1);
            subscription.is_subscribed |= is_done;
            if !subscription.is_subscribed && subscription.requests == 0 {
                self.subscriptions.remove(group);
            }
        }
    }

    /// A subscription has ended: what is known of the group is forgotten.
    pub fn unsubscribed(&mut self, group: &str) {
        self.subscriptions.remove(group);
    }

    /// This client has set its own state in a group, or cleared it.
    pub fn set(&mut self, group: &str, state: Option<O>) {
        match state {
            Some(state) => self.own.insert(group.to_owned(), state),
            None => drop(self.own.remove(group)),
        }
    }

    /// This client has left a group, and its state there is gone.
    pub fn left(&mut self, group: &str) {
        self.own.remove(group);
    }

    /// What this client last set in a group.
    #[must_use]
    pub fn own(&self, group: &str) -> Option<&O> {
        self.own.get(group)
    }

    /// What the members of a group show, in the order of their connections' ids.
    ///
    /// # Errors
    /// [`NotSubscribed`] unless the service has accepted a subscription.
    pub fn list(&self, group: &str) -> Result<impl Iterator<Item = &S>, NotSubscribed> {
        let subscription = self.subscriptions.get(group).filter(|one| one.is_subscribed);
        Ok(subscription.ok_or(NotSubscribed)?.members.values().filter_map(|member| member.state.as_ref()))
    }

    /// A connection is lost for good, and what this client has set on it.
    pub fn lost(&mut self) {
        self.own.clear();
    }

    /// There is a new connection. What was known belonged to the one before, and subscriptions have to be
    /// made again.
    pub fn connected(&mut self) -> Renewal {
        let mut renewal = Renewal::default();
        for (group, subscription) in self.subscriptions.iter_mut() {
            if subscription.members.values().any(|member| member.state.is_some()) {
                renewal.changed.push(group.clone());
            }
            subscription.members.clear();
            if subscription.is_subscribed {
                renewal.subscribe.push(group.clone());
            }
        }
        renewal
    }

    /// The service's `groupStateSnapshot`: what it does not name is no longer there, unless an update
    /// said so only now. Whether anything changes that the application can see.
    pub fn snapshot(&mut self, now: Timestamp, group: &str, items: Vec<GroupStateItem<S>>) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(group) else {
            return false;
        };
        let outweighs = |updated: Timestamp| now.since(updated) < UPDATE_OUTWEIGHS_FOR;
        for member in subscription.members.values_mut() {
            member.updated = member.updated.filter(|updated| outweighs(*updated));
        }
        let gone = subscription.members.extract_if(|connection_id, member| {
            member.updated.is_none()
                && (member.state.is_none() || !items.iter().any(|item| item.connection_id == *connection_id))
        });
        let mut is_changed = gone.fold(false, |changed, (_, member)| changed | member.state.is_some());
        for item in items {
            is_changed |= subscription.apply(item, None);
        }
        is_changed
    }

    /// The service's `groupStateUpdate`: of each member the larger `updatedAt` counts. Whether
    /// anything changes that the application can see.
    pub fn update(&mut self, now: Timestamp, group: &str, items: Vec<GroupStateItem<S>>) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(group) else {
            return false;
        };
        let mut is_changed = false;
        for item in items {
            is_changed |= subscription.apply(item, Some(now));
        }
        subscription.forget_cleared(now);
        is_changed
    }
}

impl<S> Subscription<S> {
    fn apply(&mut self, item: GroupStateItem<S>, updated: Option<Timestamp>) -> bool {
        let GroupStateItem { connection_id, updated_at, state } = item;
        let known = self.members.get(connection_id.as_str());
        if known.is_some_and(|known| known.updated_at >= updated_at) {
            return false;
        }
        let is_changed = state.is_some() || known.is_some_and(|known| known.state.is_some());
        self.members.insert(connection_id, Member { updated_at, state, updated });
        is_changed
    }

    /// Where there are more than [`MAX_CLEARED`], forgets the oldest, and all older than [`UPDATE_OUTWEIGHS_FOR`].
    fn forget_cleared(&mut self, now: Timestamp) {
        let cleared = |member: &Member<S>| member.updated.filter(|_| member.state.is_none());
        let count = |members: &SortedMap<String, Member<S>>| members.values().filter_map(cleared).count();
        if count(&self.members) <= MAX_CLEARED {
            return;
        }
        let is_old = |updated: Timestamp| now.since(updated) >= UPDATE_OUTWEIGHS_FOR;
        self.members.retain(|_, member| !cleared(member).is_some_and(is_old));
        // All of one moment in one go.
        while let Some(oldest) = self.members.values().filter_map(cleared).min() {
            let mut surplus = count(&self.members).saturating_sub(MAX_CLEARED);
            if surplus == 0 {
                break;
            }
            self.members.retain(|_, member| {
                let is_forgotten = surplus > 0 && cleared(member) == Some(oldest);
                surplus = surplus.saturating_sub(usize::from(is_forgotten));
                !is_forgotten
            });
        }
    }
}
