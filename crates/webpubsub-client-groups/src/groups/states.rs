//! States: what the client shows in groups, and what the members of groups show.

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{GroupStateItem, GroupStates};

use super::{Groups, given};

#[wasm_bindgen]
impl Groups {
    /// A subscription to a group's states is asked for.
    pub fn subscribing(&self, group: &str) {
        self.with_states(|states| states.subscribing(group));
    }

    /// The answer: whether the service does it.
    pub fn subscribed(&self, group: &str, is_done: bool) {
        self.with_states(|states| states.subscribed(group, is_done));
    }

    /// A subscription has ended.
    pub fn unsubscribed(&self, group: &str) {
        self.with_states(|states| states.unsubscribed(group));
    }

    /// The client has set its own state in a group; `undefined` is none.
    pub fn set(&self, group: &str, state: JsValue) {
        self.with_states(|states| states.set(group, given(state)));
    }

    /// The client has left a group.
    pub fn left(&self, group: &str) {
        self.with_states(|states| states.left(group));
    }

    /// What the client last set in a group; `undefined` is none.
    #[must_use]
    pub fn own(&self, group: &str) -> JsValue {
        self.with_states(|states| states.own(group).cloned().unwrap_or_default())
    }

    /// What the members of a group show; `undefined` where that is not subscribed to.
    #[must_use]
    pub fn list(&self, group: &str) -> Option<Vec<JsValue>> {
        self.with_states(|states| states.list(group).ok().map(|items| items.cloned().collect()))
    }

    /// There is a new connection: the groups whose states are to be subscribed to again. Those whose
    /// states have changed go to `changed`.
    pub fn connected(&self, changed: &ChangedGroups) -> Vec<String> {
        let renewal = self.with_states(GroupStates::connected);
        for group in &renewal.changed {
            changed.push(group);
        }
        renewal.subscribe
    }

    /// An item of the snapshot or update that follows; a `state` that is `undefined` is none.
    pub fn item(&self, connection_id: String, updated_at: f64, state: JsValue) {
        let mut items = self.items.take();
        items.push(GroupStateItem { connection_id, updated_at: updated_at as u64, state: given(state) });
        self.items.set(items);
    }

    /// The service's `groupStateSnapshot` or `groupStateUpdate`, of the items passed before. Whether
    /// anything changes that the application can see.
    #[must_use]
    pub fn states(&self, group: &str, is_snapshot: bool) -> bool {
        let (items, now) = (self.items.take(), self.clock.now());
        self.with_states(|states| {
            if is_snapshot { states.snapshot(now, group, items) } else { states.update(now, group, items) }
        })
    }
}

#[wasm_bindgen]
extern "C" {
    /// An array of group names.
    pub type ChangedGroups;

    #[wasm_bindgen(method)]
    fn push(this: &ChangedGroups, group: &str);
}

impl Groups {
    pub(super) fn with_states<T>(&self, use_them: impl FnOnce(&mut GroupStates<JsValue>) -> T) -> T {
        let mut states = self.states.take();
        let result = use_them(&mut states);
        self.states.set(states);
        result
    }
}
