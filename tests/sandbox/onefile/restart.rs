//! What survives a restart.

use picsbridge::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::support::sandbox::Running;
use crate::support::sandbox::folder::Folder;
use crate::support::sandbox::onefile::{BASE, OneFile, authenticate};

#[tokio::test]
async fn records_outlive_a_restart_and_ids_are_not_given_again_but_sessions_end() {
    let folder = Folder::new();
    let options = || SandboxOptions { onefile_calls_per_minute: None, ..folder.options() };
    let onefile = OneFile::with(options()).await;
    let (learner, aim) = onefile.learning().await;
    onefile.control(&format!("/learners/{learner}:progress"), Value::Null).await;
    let removed = onefile.enrolled().await;
    onefile.control(&format!("/users/{removed}:remove"), Value::Null).await;
    onefile.control("/onefile/records:more", json!({ "learners": 10 })).await;
    let kept = onefile.record(&format!("/LearningAim/{aim}")).await;
    let records = onefile.state().await["customers"]["sandbox"]["records"].clone();
    let session = onefile.session.clone();
    onefile.running.sandbox.stop().await;

    for _ in 0..2 {
        let onefile = OneFile::with(options()).await;
        assert_eq!(onefile.record(&format!("/LearningAim/{aim}")).await, kept);
        assert_eq!(onefile.get(&format!("/User/{removed}")).await.status, 404);
        assert_eq!(onefile.state().await["customers"]["sandbox"]["records"], records);
        let stale = OneFile { session: session.clone(), ..onefile };
        assert_eq!(stale.get("/Customer").await.status, 401);
        stale.running.sandbox.stop().await;
    }
    let onefile = OneFile::with(options()).await;
    assert!(onefile.enrolled().await > removed);
    onefile.running.sandbox.stop().await;
}

#[tokio::test]
async fn a_reset_empties_the_journal_and_customers_keep_to_themselves() {
    let folder = Folder::new();
    let running = Running::with(folder.options()).await;
    authenticate(&running, BASE, "sandbox-two").await;
    let second = running.state().await["onefile"]["customers"]["sandbox-two"].clone();
    running.sandbox.stop().await;
    let running = Running::with(folder.options()).await;
    let again = running.state().await["onefile"]["customers"]["sandbox-two"].clone();
    assert_eq!((&again["organisations"], &again["records"]), (&second["organisations"], &second["records"]));
    running.control(reqwest::Method::POST, "/reset", Value::Null).await;
    running.sandbox.stop().await;
    let running = Running::with(folder.options()).await;
    assert_eq!(running.state().await["onefile"]["customers"]["sandbox-two"], Value::Null);
    running.sandbox.stop().await;
}
