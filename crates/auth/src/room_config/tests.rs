//! Protobuf's JSON form, as minters write it.

use serde_json::{Value, json};

use super::RoomConfig;

fn read(config: Value) -> Result<RoomConfig, serde_json::Error> {
    serde_json::from_value(config)
}

#[test]
fn fields_used_are_typed_and_the_rest_is_kept() {
    let golden = json!({
        "name": "preset", "emptyTimeout": 60, "departureTimeout": 5, "maxParticipants": 9,
        "metadata": "m", "agents": [{"agentName": "a"}], "tags": {"k": "v"},
    });
    let config = read(golden.clone()).unwrap();
    assert_eq!(config.name(), "preset");
    assert_eq!(config.empty_timeout_s(), Some(60));
    assert_eq!(config.departure_timeout_s(), Some(5));
    assert_eq!(config.participants_max(), Some(9));
    assert_eq!(config.metadata(), "m");
    assert_eq!(Some(config.raw()), golden.as_object());
    assert_eq!(serde_json::to_value(config).unwrap(), golden);
}

#[test]
fn both_spellings_are_read() {
    let config = json!({"empty_timeout": 1, "departure_timeout": 2, "max_participants": 3});
    let config = read(config).unwrap();
    assert_eq!(config.empty_timeout_s(), Some(1));
    assert_eq!(config.departure_timeout_s(), Some(2));
    assert_eq!(config.participants_max(), Some(3));
}

#[test]
fn numbers_may_be_strings_and_0_is_absent() {
    let timeout = |value| read(json!({ "emptyTimeout": value })).map(|c| c.empty_timeout_s());
    assert_eq!(timeout(json!("300")).unwrap(), Some(300));
    assert_eq!(timeout(json!(4_294_967_295_u32)).unwrap(), Some(u32::MAX));
    assert_eq!(timeout(json!(0)).unwrap(), None);
    assert_eq!(timeout(json!(null)).unwrap(), None);
}

#[test]
fn a_wrong_type_is_an_error_that_names_the_field() {
    for (config, field) in [
        (json!({"emptyTimeout": -1}), "emptyTimeout"),
        (json!({"emptyTimeout": 4_294_967_296_u64}), "emptyTimeout"),
        (json!({"departureTimeout": "soon"}), "departureTimeout"),
        (json!({"maxParticipants": [1]}), "maxParticipants"),
        (json!({"name": 7}), "name"),
        (json!({"metadata": {}}), "metadata"),
    ] {
        let error = read(config.clone()).unwrap_err().to_string();
        assert!(error.contains(field), "{config}: {error}");
    }
    assert!(read(json!("preset")).is_err());
}
