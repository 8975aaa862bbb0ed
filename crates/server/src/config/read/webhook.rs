//! `webhook`: who is told what happens in rooms.

use trackyard_auth::Keys;
use trackyard_proto::webhook::WebhookKind;

use super::super::diagnostic::Diagnostics;
use super::super::scalar;
use super::super::settings::WebhookSettings;
use super::super::yaml::Node;
use super::{Reader, small};

/// Receivers in one configuration: each has queues of its own.
const URLS_MAX: usize = 16;

/// The receivers of a tree, and what they are told.
pub(super) fn read(reader: &Reader<'_>, keys: &Keys, out: &mut Diagnostics) -> WebhookSettings {
    let default = WebhookSettings::default();
    let settings = WebhookSettings {
        urls: reader.list("webhook.urls", |url| url.parse().ok()),
        api_key: reader.text("webhook.api_key"),
        include_events: reader.list("webhook.filter_params.include_events", |name| Some(name.to_owned())),
        exclude_events: reader.list("webhook.filter_params.exclude_events", |name| Some(name.to_owned())),
        data_tracks: reader.flag("webhook.data_tracks", default.data_tracks),
        parallel_max: reader.word("webhook.url_notifier.num_workers", small).unwrap_or(default.parallel_max),
        depth_max: reader.word("webhook.resource_url_notifier.max_depth", small).unwrap_or(default.depth_max),
        age_max: reader
            .word("webhook.resource_url_notifier.max_age", scalar::loose_duration)
            .unwrap_or(default.age_max),
    };
    check(reader, &settings, keys, out);
    settings
}

fn check(reader: &Reader<'_>, settings: &WebhookSettings, keys: &Keys, out: &mut Diagnostics) {
    if settings.urls.is_empty() {
        return;
    }
    let at = |path: &str| reader.root.at(path).unwrap_or(reader.root);
    if let Some(item) = at("webhook.urls").items().get(URLS_MAX) {
        let count = settings.urls.len();
        out.error(&item.place, format!("`webhook.urls` has {count} addresses; it takes at most {URLS_MAX}"));
    }
    let key = &settings.api_key;
    if !key.is_empty() && !keys.names().any(|name| name == key) {
        out.error(&at("webhook.api_key").place, "`webhook.api_key` is none of the configured keys");
    }
    for name in ["include_events", "exclude_events"] {
        check_names(at(&format!("webhook.filter_params.{name}")), name, out);
    }
}

/// Events of what there is not are never sent, so filters for them, or with a slip in them, do nothing.
fn check_names(list: &Node, name: &str, out: &mut Diagnostics) {
    for item in list.items() {
        let Some(event) = item.text() else { continue };
        if matches!(WebhookKind::from_word(event), WebhookKind::Other(_)) {
            let text = format!(
                "an event of `webhook.filter_params.{name}` is never sent; see docs/webhooks.md for those that are"
            );
            out.warn(&item.place, text);
        }
    }
}
