//! A OneFile client with a session.

use picsbridge::sandbox::SandboxOptions;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::sandbox::contract::Contract;
use crate::support::sandbox::{Answer, Running, answer};

pub const BASE: &str = "/onefile/api/v2.1";

pub struct OneFile {
    pub running: Running,
    pub session: String,
    pub main: u64,
    pub north: u64,
    pub south: u64,
}

impl OneFile {
    /// Without a call limit, because a test makes more calls than a client may.
    pub async fn start() -> Self {
        Self::with(SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() }).await
    }

    pub async fn with(options: SandboxOptions) -> Self {
        let running = Running::with(options).await;
        let (status, session) = authenticate(&running, BASE, "sandbox").await;
        assert_eq!(status, 200);
        let mut onefile = Self { running, session, main: 0, north: 0, south: 0 };
        let centres = onefile.rows("/Organisation/Search", json!({})).await;
        let ids: Vec<u64> = centres.iter().map(|centre| centre["ID"].as_u64().unwrap()).collect();
        (onefile.main, onefile.north, onefile.south) = (ids[0], ids[1], ids[2]);
        onefile
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{BASE}{path}", self.running.sandbox.url());
        self.running.client.request(method, url).header("X-TokenID", &self.session)
    }

    /// Sends a request, and checks the response against the contract of this path.
    pub async fn send(&self, method: &str, path: &str, request: RequestBuilder) -> Answer {
        answer(Contract::onefile(), method, path, request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, self.request(Method::GET, path)).await
    }

    pub async fn record(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    }

    /// A null body means no body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let mut request = self.request(Method::POST, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        self.send("POST", path, request).await
    }

    /// The rows of a search. Empty for a 204.
    pub async fn rows(&self, path: &str, filters: Value) -> Vec<Value> {
        let answer = self.post(path, filters).await;
        match answer.status {
            200 => answer.body.as_array().unwrap().clone(),
            204 => Vec::new(),
            other => panic!("{path}: {other} {}", answer.body),
        }
    }

    /// The first row of a search.
    pub async fn first(&self, path: &str, filters: Value) -> Value {
        self.rows(path, filters).await.swap_remove(0)
    }

    pub async fn first_id(&self, path: &str, filters: Value) -> u64 {
        self.first(path, filters).await["ID"].as_u64().unwrap()
    }

    /// Creates a record, and returns the id in the response.
    pub async fn made(&self, path: &str, body: Value) -> u64 {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body.as_u64().or(answer.body["ID"].as_u64()).unwrap()
    }

    /// Makes a call that must fail, and returns the message of the refusal.
    pub async fn refusal(&self, path: &str, body: Value) -> String {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        answer.body["message"].as_str().unwrap().to_owned()
    }

    /// A valid creation of a learner in the main centre.
    pub async fn learner(&self) -> Value {
        json!({
            "OrganisationID": self.main,
            "Role": 1,
            "FirstName": "Amara",
            "LastName": "Penhallow",
            "Email": "amara@example.org",
            "MISID": "L-1001",
            "ULN": "1000102504",
            "DOB": "2004-05-06T00:00:00.000Z",
            "StartOn": "2025-09-01T00:00:00.000Z",
            "PlannedEndDate": "2027-02-28T00:00:00.000Z",
            "DefaultAssessorID": self.assessor("O-01").await,
            "ClassroomID": self.first_id("/Classroom/Search", json!({ "OrganisationID": self.main })).await,
            "PlacementID": self.first_id("/Placement/Search", json!({ "OrganisationID": self.main })).await,
        })
    }

    pub async fn enrolled(&self) -> u64 {
        self.made("/User", self.learner().await).await
    }

    /// An assessor of the main centre, by the MIS value.
    pub async fn assessor(&self, mis: &str) -> u64 {
        self.first_id("/User/Search", json!({ "OrganisationID": self.main, "MISID": mis })).await
    }

    /// A standard of the main centre, by a part of its title.
    pub async fn standard(&self, part: &str) -> u64 {
        self.first_id("/Standard/Search", json!({ "OrganisationID": self.main, "Title": part })).await
    }

    /// A learner with a learning aim on 105AS, and the aim.
    pub async fn learning(&self) -> (u64, u64) {
        let learner = self.enrolled().await;
        let standard = self.standard("[105AS]").await;
        let aim = self.made(&format!("/Standard/{standard}/Assign/{learner}"), Value::Null).await;
        (learner, aim)
    }

    pub async fn settings(&self, change: Value) {
        let body = json!({ "onefile": change });
        let answer = self.running.control(Method::PUT, "/settings", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub async fn control(&self, path: &str, body: Value) -> Answer {
        self.running.control(Method::POST, path, body).await
    }

    pub async fn state(&self) -> Value {
        self.running.state().await["onefile"].clone()
    }
}

/// The status, and the unchanged body, which is the session if there is one.
pub async fn authenticate(running: &Running, base: &str, token: &str) -> (u16, String) {
    let url = format!("{}{base}/Authentication", running.sandbox.url());
    let answer = running.client.post(url).header("X-CustomerToken", token).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The body with these fields replaced; null removes one.
pub fn with(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let fields = body.as_object_mut().unwrap();
    for (key, value) in changes {
        if value.is_null() {
            fields.remove(&key);
        } else {
            fields.insert(key, value);
        }
    }
    body
}

pub fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["ID"].as_u64().unwrap()).collect()
}
