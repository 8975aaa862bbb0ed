//! What programs read, and help.

use serde_json::{Value, json};

use super::support::{Site, doctor, free_port, run};

#[tokio::test(flavor = "multi_thread")]
async fn json_has_each_step_and_the_verdict() {
    let site = Site::plain().await;
    let ran = doctor(&site.url(), &["--json"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let document = ran.json();
    assert_eq!(document["url"], site.url());
    let steps = document["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let expected = [
        "url",
        "dns",
        "tcp",
        "tls",
        "token",
        "signalling",
        "candidate",
        "candidate",
        "relay",
        "connection",
        "channels",
        "echo",
        "echo",
    ];
    assert_eq!(names, expected);
    let candidate = &steps[6]["facts"];
    assert_eq!((&candidate["transport"], &candidate["outcome"]), (&json!("udp"), &json!("answered")));
    assert!(candidate["round_trip_ms"].as_f64().unwrap() > 0.0);
    let verdict = json!({ "outcome": "ok", "failed": null, "text": "Everything works.", "exit_code": 0 });
    assert_eq!(document["verdict"], verdict);
    assert_eq!(document["warnings"], json!([]));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_says_what_failed() {
    let ran = doctor(&format!("ws://127.0.0.1:{}", free_port()), &["--json"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    let document: Value = ran.json();
    assert_eq!(document["verdict"]["failed"], "tcp");
    assert_eq!(document["verdict"]["exit_code"], 3);
    let states: Vec<&str> =
        document["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(states[..3], ["ok", "skipped", "failed"]);
    assert!(states[3..].iter().all(|state| *state == "skipped"), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_has_examples_and_exit_codes() {
    let ran = run(&["--help"], &[]).await;
    ran.check(0, &["Examples:", "Exit codes:", "--second-token", "--root-certificate", "--json", "[URL]"]);
}
