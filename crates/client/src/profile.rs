//! This participant's own name, metadata and attributes.

use trackyard_session::{ProfileChange, ProfileError};

use crate::participant::LocalParticipant;

impl LocalParticipant {
    /// Sets attributes of this participant, beside those that it has; an empty value deletes one. Waits until the server
    /// has taken them and shows them to everyone, which takes no longer than 5 s. They are set again in a new session.
    ///
    /// ```no_run
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// room.local_participant().set_attributes([("battery", "71"), ("alarm", "")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ProfileError`]: the token does not allow it, they are too long, or the server does not answer.
    ///
    /// # Cancel safety
    /// Once polled, they are asked for even if this is dropped.
    pub async fn set_attributes(
        &self,
        attributes: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ProfileError> {
        let attributes = attributes.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.change(ProfileChange { attributes, ..ProfileChange::default() }).await
    }

    /// Sets this participant's display name, as [`set_attributes`](Self::set_attributes) does its attributes.
    ///
    /// # Errors
    /// As [`set_attributes`](Self::set_attributes); [`ProfileError::Empty`] if it is empty.
    ///
    /// # Cancel safety
    /// Once polled, it is asked for even if this is dropped.
    pub async fn set_name(&self, name: impl Into<String>) -> Result<(), ProfileError> {
        self.change(ProfileChange { name: Some(name.into()), ..ProfileChange::default() }).await
    }

    /// Sets this participant's metadata, as [`set_attributes`](Self::set_attributes) does its attributes.
    ///
    /// # Errors
    /// As [`set_attributes`](Self::set_attributes); [`ProfileError::Empty`] if they are empty.
    ///
    /// # Cancel safety
    /// Once polled, they are asked for even if this is dropped.
    pub async fn set_metadata(&self, metadata: impl Into<String>) -> Result<(), ProfileError> {
        self.change(ProfileChange { metadata: Some(metadata.into()), ..ProfileChange::default() }).await
    }

    async fn change(&self, change: ProfileChange) -> Result<(), ProfileError> {
        let answer = self.shared.with(|core, now| {
            let id = core.session.change_profile(change, now);
            core.profile.wait(id)
        });
        answer.await.unwrap_or(Err(ProfileError::Closed))
    }
}
