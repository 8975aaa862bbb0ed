//! One request of the API, from its head to its answer.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use trackyard_proto::Encoding;
use trackyard_proto::api::{ApiError, Code, Method};
use trackyard_proto::signal::DecodeError;

use super::access::Caller;
use super::method::{Asked, content_type};
use super::{body, methods};
use crate::app::App;
use crate::http::{Refusal, authenticate};

/// Why there is no answer of the method.
enum Failure {
    /// In the API's own words.
    Api(ApiError),
    /// Before the API, in words as for everything else.
    Http(Refusal),
}

/// `/twirp/{service}/{method}`
pub(super) async fn call(
    State(app): State<Arc<App>>,
    Path((service, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let method = Method::find(&service, &name);
    let result = answer(&app, (&service, &name), request).await;
    let code = match &result {
        Ok(_) => "ok",
        Err(Failure::Api(error)) => error.code.word(),
        Err(Failure::Http(refusal)) => word(refusal.status),
    };
    app.counters.api.count(method, code);
    tracing::debug!(method = method.map(Method::name), code, "API request");
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(app: &App, path: (&str, &str), request: Request) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let token = access_token(&head.uri);
    let verified = authenticate(&head.headers, token.as_deref(), &app.keys, app.rooms.clock().unix_s())?;
    let asked = Asked::new(&head.method, path, &head.headers)?;
    if let Some(why) = app.not_ready() {
        return Err(ApiError::new(Code::Unavailable, why).into());
    }
    let caller = Caller::new(verified.as_ref(), asked.method)?;
    let body = body::read(body, &head.headers, &app.api_bodies).await?;
    let answer = methods::run(app, &caller, asked, &body.bytes).await?;
    Ok(([(header::CONTENT_TYPE, content_type(asked.encoding))], answer).into_response())
}

fn access_token(uri: &Uri) -> Option<String> {
    let Query(list) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    list.into_iter().rev().find(|(name, _)| name == "access_token").map(|(_, value)| value)
}

/// How a refusal is counted.
fn word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthenticated",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::REQUEST_TIMEOUT => "too_slow",
        _ => "unavailable",
    }
}

/// A body that is not what its method takes.
pub(super) fn malformed(error: &DecodeError, encoding: Encoding) -> ApiError {
    let kind = match encoding {
        Encoding::Json => "json",
        Encoding::Binary => "protobuf",
    };
    let failure = ApiError::new(Code::Malformed, format!("the {kind} request could not be decoded"));
    failure.with("cause", error.to_string())
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Http(refusal)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => {
                let status =
                    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, [(header::CONTENT_TYPE, "application/json")], error.encode()).into_response()
            }
            Self::Http(refusal) => refusal.into_response(),
        }
    }
}
