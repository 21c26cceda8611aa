//! Where an event handler is.

use crate::name::HubName;

/// The URL of an event handler, with the placeholders `{hub}` and `{event}` anywhere but in its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(String);

/// Why a text is no URL template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlTemplateError {
    /// Placeholder until the rules are written.
    #[error("not a URL template")]
    Malformed,
}

impl UrlTemplate {
    /// Checks a template.
    ///
    /// # Errors
    /// [`UrlTemplateError`] for what is no absolute http or https URL with a host in plain notation.
    pub fn parse(_text: &str) -> Result<Self, UrlTemplateError> {
        todo!()
    }

    /// The template's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL for an event of a hub.
    #[must_use]
    pub fn resolve(&self, _hub: &HubName, _event: &str) -> String {
        todo!()
    }

    /// Whether it is https to a host that may be public: no private, loopback, link-local or other
    /// special address, and no name that stands for one.
    #[must_use]
    pub fn is_public(&self) -> bool {
        todo!()
    }
}
