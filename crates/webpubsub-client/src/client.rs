//! The class that JavaScript sees: calls → inputs, outputs → the host.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{Arrival, AttemptId, ConnectError, HostTimer, Input, Output, Session};
use webpubsub_protocol::time::Timestamp;

use crate::clock::Clock;
use crate::host::Host;
use crate::input::{self, sequence, what};
use crate::{output, problem, settings};

/// A session, and what carries out what it asks for.
///
/// Every call has a number of the caller's, under which the host receives the answer.
#[wasm_bindgen]
pub struct Client {
    host: Host,
    /// Away while it is driven.
    session: Cell<Option<Box<Session<JsValue, JsValue>>>>,
    /// What has happened while the session was driven.
    waiting: Cell<Vec<Input<JsValue, JsValue>>>,
    clock: Clock,
    timer: HostTimer,
}

#[wasm_bindgen]
impl Client {
    /// A client that has not started, with the options that the host has.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(host: Host) -> Self {
        let session = Session::new(settings::of(&host));
        Self {
            host,
            session: Cell::new(Some(Box::new(session))),
            waiting: Cell::default(),
            clock: Clock::default(),
            timer: HostTimer::default(),
        }
    }

    /// Says that something happened, or is to happen: what, by its number in `npm/src/inputs.ts`, which says
    /// what comes with it. What is left out is `undefined`.
    ///
    /// What is wrong with the name in it, or 0: then it has happened, or is under way.
    pub fn input(&self, what: u32, id: u32, number: f64, a: JsValue, b: JsValue, c: JsValue) -> u32 {
        if what == what::TIMEOUT {
            self.timer.rang();
        }
        match input::of(what, id, number, a, b, c) {
            Ok(input) => {
                self.handle_all(input);
                0
            }
            Err(error) => problem::of_name(error),
        }
    }

    /// A socket brought a data message, which stays where it is; its sequence id is negative where it has
    /// none. `wall_clock` is the time in milliseconds since 1970.
    ///
    /// What follows is a sum: 1, the message is raised; 2, [`Client::input`] says after that that something
    /// is due; 4, more follows, and [`Client::input`] brings it again; 8, so many times as more messages may be
    /// raised that are not shown: see [`Arrival::allowance`].
    pub fn data(&self, attempt: u32, sequence_id: f64, wall_clock: f64) -> u32 {
        let Some(mut session) = self.session.take() else {
            return 4;
        };
        let now = self.clock.at(wall_clock);
        let what = match session.data(now, AttemptId(attempt), sequence(sequence_id)) {
            None => 4,
            Some(Arrival { is_new, allowance }) => {
                let next = session.next_timeout();
                let is_due = next.is_some_and(|next| next <= now);
                if !is_due {
                    self.set_timer(next);
                }
                u32::from(is_new) | if is_due { 2 } else { 0 } | (allowance as u32) << 3
            }
        };
        self.session.set(Some(session));
        what
    }
}

impl Client {
    /// Handles an input, and whatever arises while its outputs are carried out: a listener may call
    /// back, but never gets in between two outputs.
    fn handle_all(&self, input: Input<JsValue, JsValue>) {
        let Some(mut session) = self.session.take() else {
            let mut waiting = self.waiting.take();
            waiting.push(input);
            return self.waiting.set(waiting);
        };
        self.handle(&mut session, input);
        loop {
            let waiting = self.waiting.take();
            if waiting.is_empty() {
                break;
            }
            for input in waiting {
                self.handle(&mut session, input);
            }
        }
        self.set_timer(session.next_timeout());
        self.session.set(Some(session));
    }

    fn handle(&self, session: &mut Session<JsValue, JsValue>, input: Input<JsValue, JsValue>) {
        for output in session.handle(self.clock.now(), input) {
            self.perform(&output);
        }
    }

    fn set_timer(&self, next: Option<Timestamp>) {
        if let Some(milliseconds) = self.timer.set(next, || self.clock.now()) {
            output::set_timer(&self.host, milliseconds);
        }
    }

    fn perform(&self, output: &Output<JsValue, JsValue>) {
        let is_done = output::perform(&self.host, output);
        if let Output::Connect { attempt, .. } = output
            && !is_done
        {
            self.handle_all(Input::ConnectFailed { attempt: *attempt, error: ConnectError::InvalidUrl });
        }
    }
}
