//! Flags that change what a participant may do. The API replaces all of it, so what is not said is asked for first.

use clap::{ArgAction, Args};
use trackyard_api::Permission;

/// What changes of what a participant may do.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Permission")]
pub(super) struct Changes {
    /// Publish audio and video
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_publish: Option<bool>,
    /// Publish data tracks and send data
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_publish_data: Option<bool>,
    /// Subscribe to others
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_subscribe: Option<bool>,
    /// Change its own name, metadata and attributes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_update_own_metadata: Option<bool>,
    /// Stay unseen by others
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    hidden: Option<bool>,
}

impl Changes {
    /// Nothing changes.
    pub(super) fn is_empty(self) -> bool {
        let Self { can_publish, can_publish_data, can_subscribe, can_update_own_metadata, hidden } = self;
        [can_publish, can_publish_data, can_subscribe, can_update_own_metadata, hidden]
            .iter()
            .all(Option::is_none)
    }

    /// What a participant may do afterwards.
    pub(super) fn apply(self, now: &Permission) -> Permission {
        Permission {
            can_publish: self.can_publish.unwrap_or(now.can_publish),
            can_publish_data: self.can_publish_data.unwrap_or(now.can_publish_data),
            can_subscribe: self.can_subscribe.unwrap_or(now.can_subscribe),
            can_update_metadata: self.can_update_own_metadata.unwrap_or(now.can_update_metadata),
            hidden: self.hidden.unwrap_or(now.hidden),
            ..now.clone()
        }
    }
}
