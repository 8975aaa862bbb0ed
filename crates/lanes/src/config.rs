//! Bounds of an outbox.

use std::time::Duration;

/// What one receiver may cost. The number of lanes is bounded by the handles there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxConfig {
    /// Bytes that wait over all lanes, with a charge for each packet's bookkeeping.
    pub bytes_max: usize,
    /// Bytes that wait in one lane, likewise: room for the largest frame under way and one behind it.
    pub lane_bytes_max: usize,
    /// What the channel may hold before anything is known of the path.
    pub room_start_bytes: usize,
    /// What may wait in the path beyond what is on its way there. More of it keeps a path busier whose acknowledgements
    /// come in bursts; a small frame waits behind all of it.
    pub queue_time: Duration,
    /// What the channel may always hold, however slow the path; two packets if that is more.
    pub room_min_bytes: usize,
    /// What the channel may hold at most, however fast the path.
    pub room_max_bytes: usize,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self {
            bytes_max: 8 << 20,
            lane_bytes_max: 5 << 20,
            room_start_bytes: 64 << 10,
            queue_time: Duration::from_millis(50),
            room_min_bytes: 2_400,
            room_max_bytes: 1 << 20,
        }
    }
}
