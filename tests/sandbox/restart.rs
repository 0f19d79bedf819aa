//! What survives a restart.

use picsbridge::sandbox::{Sandbox, SandboxOptions};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::folder::Folder;
use crate::support::sandbox::{Running, apprentice, but};

#[tokio::test]
async fn records_and_credits_outlive_a_restart_and_ids_are_not_given_again() {
    let folder = Folder::new();
    let sandbox = Running::with(folder.options()).await;
    let kept = sandbox.created(&apprentice()).await;
    sandbox.advance(kept, Value::Null).await;
    let removed = sandbox.created(&but(json!({ "firstName": "Orla" }))).await;
    sandbox.advance(removed, json!({ "remove": true })).await;
    let record = sandbox.get(&format!("/apprentices/{kept}")).await.body;
    sandbox.sandbox.stop().await;

    for _ in 0..2 {
        let sandbox = Running::with(folder.options()).await;
        assert_eq!(sandbox.get(&format!("/apprentices/{kept}")).await.body, record);
        assert_eq!(sandbox.get(&format!("/apprentices/{removed}")).await.status, 404);
        let state = sandbox.state().await;
        assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(1), &json!(2)));
        assert_eq!(state["creditsLeft"], 99_998);
        sandbox.sandbox.stop().await;
    }
    let sandbox = Running::with(folder.options()).await;
    assert!(sandbox.created(&apprentice()).await > removed);
    assert_eq!(sandbox.state().await["invariants"]["duplicateUlns"], json!(["1000102504"]));
    sandbox.sandbox.stop().await;
}

#[tokio::test]
async fn the_journal_is_compacted_at_the_start_and_emptied_by_a_reset() {
    let folder = Folder::new();
    let lines = || std::fs::read_to_string(folder.file()).unwrap().lines().count();
    let sandbox = Running::with(folder.options()).await;
    let id = sandbox.created(&apprentice()).await;
    for _ in 0..5 {
        sandbox.advance(id, Value::Null).await;
    }
    let before = lines();
    sandbox.sandbox.stop().await;
    let sandbox = Running::with(folder.options()).await;
    assert!(lines() < before && lines() == 3, "{} lines, {before} before", lines());
    sandbox.control(Method::POST, "/reset", Value::Null).await;
    sandbox.sandbox.stop().await;
    let sandbox = Running::with(folder.options()).await;
    assert_eq!(sandbox.state().await["records"], 0);
    sandbox.sandbox.stop().await;
}

#[tokio::test]
async fn a_line_that_was_cut_off_by_a_kill_is_left_out() {
    let folder = Folder::new();
    let sandbox = Running::with(folder.options()).await;
    sandbox.created(&apprentice()).await;
    sandbox.sandbox.stop().await;
    let mut text = std::fs::read_to_string(folder.file()).unwrap();
    text.push_str("{\"record\":{\"organ");
    std::fs::write(folder.file(), text).unwrap();
    let sandbox = Running::with(folder.options()).await;
    assert_eq!(sandbox.state().await["records"], 1);
    sandbox.created(&apprentice()).await;
    sandbox.sandbox.stop().await;
    let sandbox = Running::with(folder.options()).await;
    assert_eq!(sandbox.state().await["records"], 2);
    sandbox.sandbox.stop().await;
}

#[tokio::test]
async fn two_sandboxes_never_write_one_journal() {
    let folder = Folder::new();
    let sandbox = Running::with(folder.options()).await;
    let options = SandboxOptions { listen: "127.0.0.1:0".parse().unwrap(), ..folder.options() };
    let second = Sandbox::start(options).await;
    assert!(second.unwrap_err().to_string().contains("another sandbox"));
    sandbox.sandbox.stop().await;
}
