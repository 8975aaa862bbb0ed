//! What a client shows to be let in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::TokenError;

type Answer = Pin<Box<dyn Future<Output = Result<String, TokenError>> + Send>>;
type Provider = Arc<dyn Fn() -> Answer + Send + Sync>;

/// What a client shows to be let in: a token, or what provides one whenever it is needed.
///
/// A fixed token is replaced by those that the server sends before it expires. That holds for as long as
/// the client stays connected; one that may be away for longer than its token lives needs a provider.
///
/// ```no_run
/// use trackyard::{Room, RoomOptions, Token};
///
/// # async fn token_of_your_backend() -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "wss://data.example.com";
/// let fixed = std::env::var("LIVEKIT_TOKEN")?;
/// let (room, events) = Room::connect(url, fixed, RoomOptions::new()).await?;
///
/// let fresh = Token::provider(|| async { token_of_your_backend().await });
/// let (room, events) = Room::connect(url, fresh, RoomOptions::new()).await?;
/// # drop((room, events));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Token(Source);

#[derive(Clone)]
enum Source {
    Fixed(String),
    Provider(Provider),
}

impl Token {
    /// Asks for a token at every join, the first and those after an outage.
    pub fn provider<P, F, E>(provide: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<String, E>> + Send + 'static,
        E: fmt::Display,
    {
        let provide = move || -> Answer {
            let token = provide();
            Box::pin(async move { token.await.map_err(|error| TokenError { message: error.to_string() }) })
        };
        Self(Source::Provider(Arc::new(provide)))
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self(Source::Fixed(token.to_owned()))
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(Source::Fixed(token))
    }
}

impl From<&String> for Token {
    fn from(token: &String) -> Self {
        Self(Source::Fixed(token.clone()))
    }
}

/// Never shows a token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Fixed(_) => "Token(fixed)",
            Source::Provider(_) => "Token(provider)",
        })
    }
}

/// The token of a connection, over its refreshes.
pub(crate) struct TokenStore {
    token: Token,
    /// The last one the server has sent.
    refreshed: Mutex<Option<String>>,
}

impl TokenStore {
    pub(crate) fn new(token: Token) -> Self {
        Self { token, refreshed: Mutex::new(None) }
    }

    pub(crate) fn refresh(&self, token: String) {
        *self.refreshed.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// The token to show; a session that is resumed needs no new one from the provider.
    pub(crate) async fn get(&self, resuming: bool) -> Result<String, TokenError> {
        let refreshed = self.refreshed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (&self.token.0, refreshed) {
            (Source::Provider(_), Some(token)) if resuming => Ok(token),
            (Source::Provider(provide), _) => provide().await,
            (Source::Fixed(_), Some(token)) => Ok(token),
            (Source::Fixed(token), None) => Ok(token.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_refreshed_token_takes_the_place_of_a_fixed_one() {
        let store = TokenStore::new("first".into());
        assert_eq!(store.get(false).await.unwrap(), "first");
        store.refresh("second".to_owned());
        assert_eq!(store.get(true).await.unwrap(), "second");
        assert_eq!(store.get(false).await.unwrap(), "second");
    }

    #[tokio::test]
    async fn a_provider_is_asked_at_every_join() {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let store = TokenStore::new(Token::provider(move || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            async move { if number < 2 { Ok(format!("{number}")) } else { Err("no more") } }
        }));
        assert_eq!(store.get(false).await.unwrap(), "0");
        store.refresh("refreshed".to_owned());
        assert_eq!(store.get(true).await.unwrap(), "refreshed");
        assert_eq!(store.get(false).await.unwrap(), "1");
        let error = store.get(false).await.unwrap_err();
        assert_eq!(error.to_string(), "the token provider has failed: no more");
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", Token::from("secret")), "Token(fixed)");
    }
}
