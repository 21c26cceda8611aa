//! Why an event handler was not called, or its answer is of no use.

use std::borrow::Cow;

use crate::limits::{MAX_CONNECT_ANSWER_BYTES, MAX_CONNECTION_STATE_BYTES, MAX_HANDLER_ANSWER_BYTES};

/// Why a call came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// The handler's URL is not one that may be called from here.
    NotPublic,
    /// The request cannot be made: the handler's secret is missing, or a header cannot be sent.
    Unsendable,
    /// The handler did not confirm that it wants events of this service.
    NotValidated,
    /// Calls to the URL fail so often that this one was not made.
    BreakerOpen,
    /// More events wait to be delivered than are kept.
    TooMany,
    /// The handler could not be reached, or the connection to it broke.
    Network,
    /// There was no whole answer in time.
    TimedOut,
    /// The connection that the event is about was gone before there was an answer.
    GivenUp,
    /// The answer redirects, which is not followed.
    Redirect,
    /// The answer's status is no success.
    Status(u16),
    /// The answer to the handshake has no `WebHook-Allowed-Origin`, or an empty one.
    NoAllowedOrigin,
    /// The `WebHook-Allowed-Origin` of the answer to the handshake does not have this service in it.
    OtherOrigin,
    /// The answer's body is too large, or too much is read of all answers at once.
    TooLarge,
    /// The answer's content type is one that no payload has, or its charset is unknown.
    WrongContentType,
    /// The answer's body is not what its content type, or the event, says that it is.
    NotReadable,
    /// The answer's `ce-connectionState` is longer than [`MAX_CONNECTION_STATE_BYTES`].
    StateTooLarge,
    /// A header of the answer that carries metadata breaks the rules of metadata.
    InvalidMetadata,
    /// The answer names a user that is none.
    InvalidUser,
    /// The answer names a group that is none, or its groups are no list.
    InvalidGroup,
    /// The answer names a role that is no string, or its roles are no list.
    InvalidRole,
    /// The answer chooses a subprotocol that the client does not offer.
    SubprotocolNotOffered,
}

impl CallFailure {
    /// Why an answer with this status is no success; `None` for one that is.
    #[must_use]
    pub const fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            300..=399 => Some(Self::Redirect),
            _ => Some(Self::Status(status)),
        }
    }

    /// The status of the answer, where that is what failed.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        if let Self::Status(status) = self { Some(status) } else { None }
    }

    /// Whether the same call may succeed soon.
    ///
    /// Source: docs/spec/cloudevents.md#retries.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Network | Self::TimedOut | Self::Status(408 | 500..=u16::MAX))
    }

    /// Whether it shows that the handler works. `Some(false)` counts against it: after several such in
    /// a row it is left alone for a while. `None` says nothing of it.
    #[must_use]
    pub const fn shows_that_handler_works(self) -> Option<bool> {
        let says_nothing = matches!(
            self,
            Self::NotPublic | Self::Unsendable | Self::BreakerOpen | Self::TooMany | Self::GivenUp
        );
        let counts = self.is_passing() || matches!(self, Self::NotValidated);
        if says_nothing { None } else { Some(!counts) }
    }

    /// A word for programs and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPublic => "NotPublic",
            Self::Unsendable => "Unsendable",
            Self::NotValidated => "NotValidated",
            Self::BreakerOpen => "BreakerOpen",
            Self::TooMany => "TooMany",
            Self::Network => "Network",
            Self::TimedOut => "TimedOut",
            Self::GivenUp => "GivenUp",
            Self::Redirect => "Redirect",
            Self::Status(_) => "Status",
            Self::NoAllowedOrigin => "NoAllowedOrigin",
            Self::OtherOrigin => "OtherOrigin",
            Self::TooLarge => "TooLarge",
            Self::WrongContentType => "WrongContentType",
            Self::NotReadable => "NotReadable",
            Self::StateTooLarge => "StateTooLarge",
            Self::InvalidMetadata => "InvalidMetadata",
            Self::InvalidUser => "InvalidUser",
            Self::InvalidGroup => "InvalidGroup",
            Self::InvalidRole => "InvalidRole",
            Self::SubprotocolNotOffered => "SubprotocolNotOffered",
        }
    }

    /// A sentence for operators, with nothing in it of what was sent or answered.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotPublic => {
                "It is at a private address, or without TLS: see ALLOW_PRIVATE_EVENT_HANDLERS."
            }
            Self::Unsendable => {
                "Its secret is missing, is not named HANDLER_SECRET_…, or cannot stand in a header."
            }
            Self::NotValidated => "It was not sent: the handshake with the handler (validate) comes first.",
            Self::BreakerOpen => "It was not sent: the handler failed five times in a row.",
            Self::TooMany => "It was not sent: too many events wait.",
            Self::Network => "It could not be reached, or the connection to it broke.",
            Self::TimedOut => "It did not answer in time.",
            Self::GivenUp => "The connection was gone before there was an answer.",
            Self::Redirect => "It redirects, which is not followed.",
            Self::Status(status) => return format!("It answered with status {status}.").into(),
            Self::NoAllowedOrigin => "Its answer has no WebHook-Allowed-Origin.",
            Self::OtherOrigin => "Its WebHook-Allowed-Origin is neither * nor this service's host.",
            Self::TooLarge => {
                let (most, of_connect) = (MAX_HANDLER_ANSWER_BYTES >> 20, MAX_CONNECT_ANSWER_BYTES >> 20);
                return format!(
                    "Its answer is above {most} MiB, or {of_connect} MiB for connect, or too much was read of all at once."
                )
                .into();
            }
            Self::WrongContentType => "Its answer has a content type or a charset that no message has.",
            Self::NotReadable => {
                "Its answer has a body that is not of its content type, or no JSON object for connect."
            }
            Self::StateTooLarge => {
                return format!(
                    "The ce-connectionState of its answer is above {MAX_CONNECTION_STATE_BYTES} bytes."
                )
                .into();
            }
            Self::InvalidMetadata => "Its answer has a header with metadata that is none.",
            Self::InvalidUser => "Its answer has a userId that is blank, . or .., or no string.",
            Self::InvalidGroup => {
                "Its answer has groups that are no list of names (1 to 1024 characters, not blank, . or ..), or too many."
            }
            Self::InvalidRole => "Its answer has roles that are no list of strings.",
            Self::SubprotocolNotOffered => "Its answer has a subprotocol that the client does not offer.",
        })
    }
}
