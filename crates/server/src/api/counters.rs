//! What was asked of the API, and how it went.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use trackyard_proto::api::Method;

/// Requests by method and code.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApiCounters(Family<Labels, Counter>);

/// Both are of a few words: what was asked for and is no method is one of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    code: &'static str,
}

impl ApiCounters {
    /// A request was answered.
    pub(super) fn count(&self, method: Option<Method>, code: &'static str) {
        let method = method.map_or("none", Method::name);
        self.0.get_or_create(&Labels { method, code }).inc();
    }

    /// Shows them.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("api_requests", "Requests of the server API by method and code", self.0.clone());
    }
}
