//! One WebSocket: its events as inputs.

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};
use webpubsub_client_core::{AttemptId, Close, Input};
use webpubsub_protocol::close::CloseCode;

use crate::convert::{self, Frame, Payload};

#[wasm_bindgen]
extern "C" {
    /// A WebSocket that takes text as JavaScript has it, where `web_sys` would copy it into Rust
    /// and out again.
    #[wasm_bindgen(extends = WebSocket)]
    pub(crate) type TextSocket;
    #[wasm_bindgen(method, catch)]
    fn send(this: &TextSocket, text: &JsString) -> Result<(), JsValue>;
}

/// A WebSocket of the host's, listened to until it is dropped.
pub(crate) struct Socket {
    attempt: AttemptId,
    socket: TextSocket,
    // Kept alive for as long as the socket calls them.
    _onopen: Closure<dyn FnMut()>,
    _onmessage: Closure<dyn FnMut(MessageEvent)>,
    _onclose: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Listens to a socket that has just been made.
    pub(crate) fn new(
        attempt: AttemptId,
        socket: TextSocket,
        input: impl Fn(Input<Payload, Frame>) + Clone + 'static,
    ) -> Self {
        let (opened, heard, closed) = (input.clone(), input.clone(), input);
        let onopen = Closure::<dyn FnMut()>::new(move || opened(Input::Opened { attempt }));
        let onmessage = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            heard(Input::Message { attempt, message: convert::incoming(&event.data()) });
        });
        let onclose = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            let close = Close { code: CloseCode(event.code()), reason: event.reason() };
            closed(Input::Closed { attempt, close });
        });
        socket.set_onopen(Some(onopen.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        socket.set_onclose(Some(onclose.as_ref().unchecked_ref()));
        Self { attempt, socket, _onopen: onopen, _onmessage: onmessage, _onclose: onclose }
    }

    /// Which attempt it was made for.
    pub(crate) const fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Sends a text frame. A socket that cannot take it is about to report that it closed.
    pub(crate) fn send(&self, text: &JsString) {
        let _ = self.socket.send(text);
    }

    /// Closes without a code. The close event still comes.
    pub(crate) fn close(&self) {
        let _ = self.socket.close();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
    }
}
