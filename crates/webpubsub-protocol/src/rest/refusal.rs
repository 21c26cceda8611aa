//! Why a request of the REST API is not carried out.

use crate::data::MetadataError;
use crate::filter::FilterError;
use crate::name::NameError;

/// Why a request is not carried out. All but the last are the caller's to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404: the path is none of the API's.
    #[error("no such path in the REST API")]
    UnknownPath,
    /// 405: the path is one of the API's, the method is not.
    #[error("the path only takes {allow}")]
    Method {
        /// The methods that it takes, as the `Allow` header lists them.
        allow: String,
    },
    /// 401: the token is missing or refused.
    #[error("the token is missing or refused")]
    Unauthorized {
        /// A sentence that names the check that failed, and nothing that the check compares with.
        why: &'static str,
    },
    /// 400: a name in the path is not percent-encoded UTF-8.
    #[error("{name} in the path is not percent-encoded UTF-8")]
    Encoding {
        /// Which name, as the API's paths call it.
        name: &'static str,
    },
    /// 400: no hub name.
    #[error("invalid hub name")]
    Hub,
    /// 400: no group name.
    #[error("invalid group name")]
    Group,
    /// 400: no user id.
    #[error("invalid user id")]
    User,
    /// 400: no connection id.
    #[error("invalid connection id")]
    Connection,
    /// 400: a user, a group or a connection named `.` or `..`: see [`NameError::Dots`].
    #[error("`.` or `..` is no {name}")]
    Dots {
        /// What it was to name: `group name`, `userId` or `connectionId`.
        name: &'static str,
    },
    /// 400: a version that is not served.
    #[error("unknown api-version")]
    ApiVersion,
    /// 400: a parameter that stands once stands there again.
    #[error("query parameter {name} is repeated")]
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// 400: a parameter is not percent-encoded UTF-8.
    #[error("query parameter {name} is not percent-encoded UTF-8")]
    ParameterEncoding {
        /// Its name.
        name: &'static str,
    },
    /// 400: the time to live is not a whole number from 0 to 300.
    #[error("invalid messageTtlSeconds")]
    TimeToLive,
    /// 400: the token's life is not a whole number of minutes from 1 to 2147483647.
    #[error("invalid minutesToExpire")]
    MinutesToExpire,
    /// 400: a kind of client that is not served.
    #[error("invalid clientType")]
    ClientType,
    /// 400: no filter of the language, in the query.
    #[error(transparent)]
    Filter(#[from] Box<FilterError>),
    /// 400: no filter of the language, in the body.
    #[error(transparent)]
    BodyFilter(Box<FilterError>),
    /// 400: a permission that there is not.
    #[error("unknown permission")]
    Permission,
    /// 400: no group that a permission is for, or no group name.
    #[error("invalid targetName")]
    TargetName,
    /// 400: a page is not 1 to 200 members.
    #[error("invalid maxpagesize")]
    MaxPageSize,
    /// 400: a list is not 1 to 2147483647 members.
    #[error("invalid top")]
    Top,
    /// 400: none of our continuation tokens, or one of another list.
    #[error("invalid continuationToken")]
    ContinuationToken,
    /// 403: the caller is known, and may not do this.
    #[error("the request is forbidden")]
    Forbidden {
        /// A sentence that says why.
        why: &'static str,
    },
    /// 404: what is asked for is not there.
    #[error("there is no such thing")]
    NotFound {
        /// A sentence that says why.
        why: &'static str,
    },
    /// 429: it was asked too often, or there are too many already.
    #[error("too many requests")]
    TooManyRequests {
        /// A sentence that says why.
        why: &'static str,
    },
    /// 400: a parameter of an operator's request is not what it is to be.
    #[error("invalid {name}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What it is to be, as a sentence.
        rule: &'static str,
    },
    /// 400: the body names no groups, or what it names are no groups.
    #[error("the body has no list of group names")]
    Groups,
    /// 400: the body's filter is neither a string nor null.
    #[error("the body's filter is not a string")]
    FilterNotText,
    /// 415: a media type or charset that no message has.
    #[error("unsupported content type")]
    ContentType,
    /// 400: the body is longer than 1 MiB.
    #[error("the body is too long")]
    TooLong,
    /// 400: the body is not in the charset that it claims.
    #[error("the body is not text in its charset")]
    NotText,
    /// 400: the body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// 400: the body is JSON's `null`, which no client receives.
    #[error("the body is null")]
    Null,
    /// 400: a metadata header breaks its rules.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// 500: a fault of ours.
    #[error("the service failed")]
    Internal,
}

impl Refusal {
    /// What a name is refused with that is not one of a hub: `otherwise`, unless it is `.` or `..`.
    pub(crate) fn of_name(error: NameError, name: &'static str, otherwise: Self) -> Self {
        if error == NameError::Dots { Self::Dots { name } } else { otherwise }
    }
}
