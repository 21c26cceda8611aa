//! Streams that this client sends.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use webpubsub_client_core::OutboundError;
use webpubsub_protocol::client::{Echo, StreamError, StreamId};
use webpubsub_protocol::name::GroupName;

use crate::data::{Data, DataError};
use crate::error::GroupStreamWriteError;
use crate::handle::Handle;
use crate::inbox::Control;
use crate::pending::{Call, OpenStream, StreamCall};
use crate::platform::{BoxFuture, random_id};

/// A call of [`WebPubSubClient::open_group_stream`](crate::WebPubSubClient::open_group_stream).
#[must_use = "nothing happens unless it is awaited"]
pub struct OpenGroupStream {
    handle: Handle,
    group: String,
    id: Option<String>,
    echo: Echo,
    idle_timeout: Option<Duration>,
}

/// Sends one stream to a group, piece by piece.
///
/// A stream belongs to its connection: while a lost link is being recovered it pauses, and what the service
/// has not acknowledged is sent again then; it fails with the connection. The first failure is what every
/// later call returns.
///
/// A writer that is dropped ends its stream early, with [`StreamFailure::ABORTED`] as its code. It keeps the
/// client alive.
///
/// [`StreamFailure::ABORTED`]: crate::StreamFailure::ABORTED
///
/// Source: docs/spec/sdk.md#streams.
pub struct GroupStreamWriter {
    handle: Handle,
    id: StreamId,
    /// Why the stream is over, once it is.
    fate: Arc<OnceLock<OutboundError>>,
    is_ended: bool,
}

/// Why a stream ends early, for those who receive it. Both parts may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AbortReason {
    /// A sentence for people.
    pub message: Option<String>,
    /// A word for programs, of the application's choice.
    pub code: Option<String>,
}

impl OpenGroupStream {
    pub(crate) const fn new(handle: Handle, group: String) -> Self {
        Self { handle, group, id: None, echo: Echo::Send, idle_timeout: None }
    }

    /// Calls the stream so, 1 to 256 characters: no other that this client has open may have this id, and
    /// receivers know a stream by its group and id. Without one it has a random one.
    pub fn stream_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Leaves this connection out of those that receive the stream.
    pub const fn no_echo(mut self) -> Self {
        self.echo = Echo::Skip;
        self
    }

    /// How long the stream may be silent before the service ends it, from 1 ms to 49 days; five minutes by
    /// default.
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }
}

impl IntoFuture for OpenGroupStream {
    type Output = Result<GroupStreamWriter, GroupStreamWriteError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let group = GroupName::parse(self.group)?;
            let id = StreamId::parse(self.id.unwrap_or_else(random_id));
            let id = id.map_err(|_| GroupStreamWriteError::StreamId)?;
            let idle_millis = match self.idle_timeout.map(|timeout| timeout.as_millis()) {
                Some(0) => return Err(GroupStreamWriteError::IdleTimeout),
                millis => millis.map(|millis| u32::try_from(millis).unwrap_or(u32::MAX)),
            };
            let fate = Arc::<OnceLock<OutboundError>>::default();
            let (stream_id, echo) = (id.clone(), self.echo);
            let open = OpenStream { stream_id, group, echo, idle_millis, fate: fate.clone() };
            let opened = self.handle.call(|reply| Call::Stream(StreamCall::Open(open), reply)).await;
            opened.ok_or(GroupStreamWriteError::Gone)??;
            Ok(GroupStreamWriter { handle: self.handle, id, fate, is_ended: false })
        })
    }
}

impl GroupStreamWriter {
    /// What the stream is known by.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Why the stream is over, if it is.
    #[must_use]
    pub fn failure(&self) -> Option<&OutboundError> {
        self.fate.get()
    }

    /// Sends the next piece. Done when it is on its way: that waits while the link is slow or being recovered,
    /// and while 1,000 pieces, or 4 MiB, are not acknowledged. Pieces are sent in the order in which their
    /// futures are first polled.
    ///
    /// A future that is dropped takes its piece back, unless it was sent.
    ///
    /// # Errors
    /// [`GroupStreamWriteError`]
    pub fn write(&self, data: impl Into<Data>) -> impl Future<Output = Result<(), GroupStreamWriteError>> {
        self.send(Ok(data.into()))
    }

    /// The same for a value as JSON.
    ///
    /// # Errors
    /// [`GroupStreamWriteError`]
    pub fn write_json<T: Serialize + ?Sized>(
        &self,
        value: &T,
    ) -> impl Future<Output = Result<(), GroupStreamWriteError>> {
        self.send(Data::json(value))
    }

    /// Ends the stream, behind everything that was written. Done when the service has taken all of it.
    ///
    /// # Errors
    /// [`GroupStreamWriteError`]; what was written may have arrived.
    pub async fn end(self) -> Result<(), GroupStreamWriteError> {
        self.finish(None).await
    }

    /// Ends the stream early, behind everything that was written: its receivers get an error. Done when the
    /// service has taken all of it.
    ///
    /// # Errors
    /// [`GroupStreamWriteError`]; what was written may have arrived.
    pub async fn abort(self, reason: impl Into<AbortReason>) -> Result<(), GroupStreamWriteError> {
        let AbortReason { message, code } = reason.into();
        self.finish(Some(StreamError::of_user(message, code))).await
    }

    async fn send(&self, data: Result<Data, DataError>) -> Result<(), GroupStreamWriteError> {
        self.call(StreamCall::Write(self.id.clone(), data?)).await
    }

    async fn finish(mut self, error: Option<StreamError>) -> Result<(), GroupStreamWriteError> {
        let done = self.call(StreamCall::End(self.id.clone(), error)).await;
        self.is_ended = true;
        done
    }

    async fn call(&self, call: StreamCall) -> Result<(), GroupStreamWriteError> {
        // Another stream may have its id by now.
        if let Some(fate) = self.fate.get() {
            return Err(fate.clone().into());
        }
        match self.handle.call(|reply| Call::Stream(call, reply)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.fate.get().cloned().unwrap_or(error).into()),
            None => Err(GroupStreamWriteError::Gone),
        }
    }
}

impl Drop for GroupStreamWriter {
    fn drop(&mut self) {
        if !self.is_ended && self.fate.get().is_none() {
            self.handle.inbox().control(Control::DropStream(self.id.clone()));
        }
    }
}

impl From<&str> for AbortReason {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl From<String> for AbortReason {
    fn from(message: String) -> Self {
        Self { message: Some(message), code: None }
    }
}

impl fmt::Debug for OpenGroupStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenGroupStream").finish_non_exhaustive()
    }
}

impl fmt::Debug for GroupStreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupStreamWriter").field("id", &self.id).finish_non_exhaustive()
    }
}
