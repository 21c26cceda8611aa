//! The class that JavaScript sees: calls → inputs, outputs → the host.

mod states;
mod streams;

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{GroupStateItem, GroupStates, HostTimer, OutboundInput};
use webpubsub_protocol::name::GroupName;

use self::streams::{Input, Streams};
use crate::clock::Clock;
use crate::host::GroupsHost;
use crate::problem;

/// The streams and states of one client.
///
/// Every call has a number of the caller's, under which the host receives the answer.
#[wasm_bindgen]
pub struct Groups {
    host: GroupsHost,
    /// Away while they are driven.
    streams: Cell<Option<Box<Streams>>>,
    /// What has happened to streams and is not handled.
    inputs: Cell<Vec<Input>>,
    states: Cell<GroupStates<JsValue>>,
    /// The items of the snapshot or update that is being passed on.
    items: Cell<Vec<GroupStateItem<JsValue>>>,
    clock: Clock,
    timer: HostTimer,
}

#[wasm_bindgen]
impl Groups {
    /// One that knows of no link.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(host: GroupsHost) -> Self {
        Self {
            host,
            streams: Cell::new(Some(Box::default())),
            inputs: Cell::default(),
            states: Cell::default(),
            items: Cell::default(),
            clock: Clock::default(),
            timer: HostTimer::default(),
        }
    }

    /// The connection is lost for good.
    #[wasm_bindgen(js_name = connectionLost)]
    pub fn connection_lost(&self) {
        self.with_states(GroupStates::lost);
        self.outbound(OutboundInput::ConnectionLost);
    }

    /// What is wrong with the name of a group, as for `open`.
    #[wasm_bindgen(js_name = nameProblem)]
    #[must_use]
    pub fn name_problem(&self, group: String) -> u32 {
        GroupName::parse(group).err().map_or(0, problem::of_name)
    }
}

/// What is not `undefined`.
fn given(value: JsValue) -> Option<JsValue> {
    (!value.is_undefined()).then_some(value)
}
