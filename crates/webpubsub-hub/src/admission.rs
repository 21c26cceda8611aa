//! What a client was admitted as: made where its token was checked, used where its socket lives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::event_handler::Cookies;
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::{GroupName, NameError, UserId};

/// Who a new connection acts for, what it may do, and how it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRequest {
    /// The user; `None` for an anonymous one.
    pub user: Option<UserId>,
    /// Role strings, unknown ones included.
    pub roles: Vec<String>,
    /// Groups that it is a member of from the start.
    pub groups: Vec<GroupName>,
    /// The subprotocol chosen.
    pub subprotocol: Subprotocol,
    /// What a simple client's frames mean; the other subprotocols do not look at it.
    pub mode: SimpleMode,
    /// The subprotocol that a handler chose and that the service does not know: a simple client's.
    pub custom_subprotocol: Option<String>,
    /// The service's host as the client sees it.
    pub origin: String,
    /// `ce-connectionState` of the answer to `connect`.
    pub state: Option<String>,
    /// Cookies of the answer to `connect`.
    pub cookies: Cookies,
}

impl Default for ConnectRequest {
    /// An anonymous simple client.
    fn default() -> Self {
        Self {
            user: None,
            roles: Vec::new(),
            groups: Vec::new(),
            subprotocol: Subprotocol::Simple,
            mode: SimpleMode::SendEvent,
            custom_subprotocol: None,
            origin: String::new(),
            state: None,
            cookies: Cookies::default(),
        }
    }
}

/// A text was not made by [`ConnectRequest::encode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// It is not base64url of JSON of the right shape.
    #[error("the admission is malformed")]
    Malformed,
    /// A name in it breaks its rule.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl ConnectRequest {
    /// Writes the request as ASCII that fits a header.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut form = Writer::object();
        if let Some(user) = &self.user {
            form.text("user", user.as_str());
        }
        form.json("roles", &Writer::texts(&self.roles)).json("groups", &Writer::texts(&self.groups));
        if let Some(subprotocol) = self.subprotocol.name() {
            form.text("subprotocol", subprotocol);
        }
        if let SimpleMode::SendToGroup { group, echo } = &self.mode {
            let name = if *echo == Echo::Skip { "send_to_others" } else { "send_to" };
            form.text(name, group.as_str());
        }
        URL_SAFE_NO_PAD.encode(form.finish())
    }

    /// Reads what [`ConnectRequest::encode`] wrote.
    ///
    /// # Errors
    /// [`AdmissionError`] for anything else.
    pub fn decode(text: &str) -> Result<Self, AdmissionError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| AdmissionError::Malformed)?;
        let form = str::from_utf8(&json).ok().and_then(Members::parse).ok_or(AdmissionError::Malformed)?;
        let text = |name| match form.get(name) {
            None => Ok(None),
            Some(value) => value.text().map(Some).ok_or(AdmissionError::Malformed),
        };
        let texts = |name| form.get(name).and_then(Json::texts).ok_or(AdmissionError::Malformed);
        let groups = texts("groups")?.into_iter().map(GroupName::parse).collect::<Result<_, _>>()?;
        let mode = match (text("send_to")?, text("send_to_others")?) {
            (None, None) => SimpleMode::SendEvent,
            (Some(group), _) => SimpleMode::SendToGroup { group: GroupName::parse(group)?, echo: Echo::Send },
            (None, Some(group)) => {
                SimpleMode::SendToGroup { group: GroupName::parse(group)?, echo: Echo::Skip }
            }
        };
        Ok(Self {
            user: text("user")?.map(UserId::parse).transpose()?,
            roles: texts("roles")?,
            groups,
            subprotocol: Subprotocol::negotiate(text("subprotocol")?.as_deref()).subprotocol,
            mode,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admission_survives_its_way_to_the_shard() {
        let request = ConnectRequest {
            user: Some(UserId::parse("ålice \"1\"").unwrap()),
            roles: vec!["webpubsub.sendToGroup".into(), "x".into()],
            groups: vec![GroupName::parse("group\n…").unwrap()],
            subprotocol: Subprotocol::JsonReliable,
            mode: SimpleMode::SendToGroup { group: GroupName::parse("g").unwrap(), echo: Echo::Skip },
            ..ConnectRequest::default()
        };
        assert_eq!(ConnectRequest::decode(&request.encode()), Ok(request));
        assert_eq!(
            ConnectRequest::decode(&ConnectRequest::default().encode()),
            Ok(ConnectRequest::default())
        );
        assert_eq!(ConnectRequest::decode("é"), Err(AdmissionError::Malformed));
    }
}
