//! Where client access URLs come from.

use std::fmt;

use crate::error::BoxError;
use crate::platform::{BoxFuture, MaybeSend};

#[cfg(not(target_arch = "wasm32"))]
type Fetch = Box<dyn Fn() -> BoxFuture<Result<String, BoxError>> + Send>;
#[cfg(target_arch = "wasm32")]
type Fetch = Box<dyn Fn() -> BoxFuture<Result<String, BoxError>>>;

/// Where client access URLs come from.
///
/// A URL is used for every connection, for as long as its token lives. A function is asked for each
/// new connection, and not for recoveries, which use the connection's own URL.
///
/// ```
/// use webpubsub::{Credential, WebPubSubClient};
///
/// # async fn ask_my_server() -> Result<String, std::io::Error> { Ok(String::new()) }
/// let client = WebPubSubClient::builder(Credential::from_fn(ask_my_server)).build()?;
/// # Ok::<(), webpubsub::BuildError>(())
/// ```
pub struct Credential(Fetch);

impl Credential {
    /// Asks a function for each new connection. It has two minutes for its answer.
    pub fn from_fn<F, Answer, E>(fetch: F) -> Self
    where
        F: Fn() -> Answer + MaybeSend + 'static,
        Answer: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: Into<BoxError>,
    {
        Self(Box::new(move || {
            let answer = fetch();
            Box::pin(async move { answer.await.map_err(Into::into) })
        }))
    }

    pub(crate) fn fetch(&self) -> BoxFuture<Result<String, BoxError>> {
        (self.0)()
    }
}

impl From<String> for Credential {
    fn from(url: String) -> Self {
        Self(Box::new(move || {
            let url = url.clone();
            Box::pin(async move { Ok(url) })
        }))
    }
}

impl From<&str> for Credential {
    fn from(url: &str) -> Self {
        url.to_owned().into()
    }
}

/// A URL holds a token, so nothing of it is shown.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}
