//! A method and how its messages are written, from a request's head.

use axum::http::{HeaderMap, Method as HttpMethod, header};
use trackyard_proto::Encoding;
use trackyard_proto::api::{ApiError, Code, Method};

/// What a request's head says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) encoding: Encoding,
}

impl Asked {
    /// Finds the method.
    ///
    /// # Errors
    /// There is no such method, or it is not asked for in a way it understands.
    pub(super) fn new(
        http: &HttpMethod,
        (service, name): (&str, &str),
        headers: &HeaderMap,
    ) -> Result<Self, ApiError> {
        let path = format!("/twirp/{service}/{name}");
        let bad_route = |why: String| {
            ApiError::new(Code::BadRoute, why).with("twirp_invalid_route", format!("{http} {path}"))
        };
        if http != HttpMethod::POST {
            return Err(bad_route(format!("unsupported method \"{http}\" (only POST is allowed)")));
        }
        let method = Method::find(service, name)
            .ok_or_else(|| bad_route(format!("no handler for path \"{path}\"")))?;
        let content_type =
            headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
        let encoding = encoding(content_type)
            .filter(|encoding| method != Method::PatchRoomMetadata || *encoding == Encoding::Json)
            .ok_or_else(|| bad_route(format!("unexpected Content-Type: \"{content_type}\"")))?;
        Ok(Self { method, encoding })
    }
}

fn encoding(content_type: &str) -> Option<Encoding> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => Some(Encoding::Json),
        "application/protobuf" => Some(Encoding::Binary),
        _ => None,
    }
}

/// As an answer's head names it.
pub(super) fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => "application/json",
        Encoding::Binary => "application/protobuf",
    }
}
