//! What a client was admitted as: made where its token was checked, used where its socket lives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
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

#[derive(Serialize, Deserialize)]
struct Form {
    user: Option<String>,
    roles: Vec<String>,
    groups: Vec<String>,
    subprotocol: Option<String>,
    send_to: Option<String>,
    no_echo: bool,
}

impl ConnectRequest {
    /// Writes the request as ASCII that fits a header.
    #[must_use]
    pub fn encode(&self) -> String {
        let (send_to, no_echo) = match &self.mode {
            SimpleMode::SendEvent => (None, false),
            SimpleMode::SendToGroup { group, echo } => (Some(group.as_str().to_owned()), *echo == Echo::Skip),
        };
        let form = Form {
            user: self.user.as_ref().map(|user| user.as_str().to_owned()),
            roles: self.roles.clone(),
            groups: self.groups.iter().map(|group| group.as_str().to_owned()).collect(),
            subprotocol: self.subprotocol.name().map(str::to_owned),
            send_to,
            no_echo,
        };
        #[expect(clippy::expect_used, reason = "a struct of strings always prints")]
        let json = serde_json::to_vec(&form).expect("the form is printable");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Reads what [`ConnectRequest::encode`] wrote.
    ///
    /// # Errors
    /// [`AdmissionError`] for anything else.
    pub fn decode(text: &str) -> Result<Self, AdmissionError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| AdmissionError::Malformed)?;
        let form: Form = serde_json::from_slice(&json).map_err(|_| AdmissionError::Malformed)?;
        let groups = form.groups.into_iter().map(GroupName::parse).collect::<Result<_, _>>()?;
        let mode = match form.send_to {
            None => SimpleMode::SendEvent,
            Some(group) => SimpleMode::SendToGroup {
                group: GroupName::parse(group)?,
                echo: if form.no_echo { Echo::Skip } else { Echo::Send },
            },
        };
        Ok(Self {
            user: form.user.map(UserId::parse).transpose()?,
            roles: form.roles,
            groups,
            subprotocol: Subprotocol::negotiate(form.subprotocol.as_deref()).subprotocol,
            mode,
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
        };
        assert_eq!(ConnectRequest::decode(&request.encode()), Ok(request));
        assert_eq!(
            ConnectRequest::decode(&ConnectRequest::default().encode()),
            Ok(ConnectRequest::default())
        );
        assert_eq!(ConnectRequest::decode("é"), Err(AdmissionError::Malformed));
    }
}
