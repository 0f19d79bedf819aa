//! A running sandbox, and clients of it.

pub mod contract;
pub mod folder;
pub mod onefile;
pub mod standards;

use picsbridge::sandbox::{Sandbox, SandboxOptions};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Map, Value, json};

use self::contract::Contract;
use crate::support::app::PATIENCE;

pub const BASE: &str = "/ace360/connect-api/beta";

/// The test's own sandbox, on a free port.
pub struct Running {
    pub sandbox: Sandbox,
    pub client: Client,
    control: Contract,
}

/// A response that the contract allows.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<String>,
}

impl Running {
    pub async fn start() -> Self {
        Self::with(SandboxOptions::default()).await
    }

    pub async fn with(options: SandboxOptions) -> Self {
        let options = SandboxOptions { listen: "127.0.0.1:0".parse().unwrap(), ..options };
        let sandbox = Sandbox::start(options).await.unwrap();
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let document =
            client.get(sandbox.url() + "/openapi.json").send().await.unwrap().json().await.unwrap();
        Self { sandbox, client, control: Contract::new(document) }
    }

    pub fn control_document(&self) -> &Value {
        self.control.document()
    }

    /// A call to ACE360 that is not sent yet.
    pub fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{BASE}{path}", self.sandbox.url())).bearer_auth(token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_as("sandbox", path).await
    }

    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        answer(Contract::ace360(), "GET", path, self.request(Method::GET, path, token)).await
    }

    pub async fn create(&self, body: &Value) -> Answer {
        self.create_as("sandbox", body).await
    }

    pub async fn create_as(&self, token: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, "/apprentices", token).json(body);
        answer(Contract::ace360(), "POST", "/apprentices", request).await
    }

    /// Creates a record, and returns its id.
    pub async fn created(&self, body: &Value) -> u64 {
        let answer = self.create(body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["id"].as_u64().unwrap()
    }

    /// A call to the control API. A null body means no body.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let path = format!("/control{path}");
        let mut request = self.client.request(method.clone(), self.sandbox.url() + &path);
        if !body.is_null() {
            request = request.json(&body);
        }
        answer(&self.control, method.as_str(), &path, request).await
    }

    pub async fn state(&self) -> Value {
        self.control(Method::GET, "/state", Value::Null).await.body
    }

    pub async fn fault(&self, rule: Value) {
        let answer = self.control(Method::PUT, "/faults", json!([rule])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub async fn advance(&self, id: u64, body: Value) -> Answer {
        self.control(Method::POST, &format!("/apprentices/{id}:advance"), body).await
    }

    /// The full catalogue, read page by page.
    pub async fn standards(&self) -> Vec<Value> {
        let mut standards = Vec::new();
        for page in 1.. {
            let body = self.get(&format!("/standards?page={page}&perPage=100")).await.body;
            standards.extend(body["data"].as_array().unwrap().clone());
            if body["totalPages"] == page {
                assert_eq!(body["total"], standards.len());
                break;
            }
        }
        standards
    }
}

pub async fn answer(contract: &Contract, method: &str, path: &str, request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let body: Option<Value> = if text.is_empty() { None } else { Some(serde_json::from_str(&text).unwrap()) };
    contract.check(method, path, status, body.as_ref());
    Answer { status, body: body.unwrap_or_default(), retry_after }
}

/// A creation that is valid in all its fields.
pub fn apprentice() -> Value {
    json!({
        "firstName": "Amara",
        "lastName": "Penhallow",
        "dateOfBirth": "2004-05-06",
        "gender": "Female",
        "ethnicGroup": "English/Welsh/Scottish/Northern Irish/British",
        "ulnNumber": "1000102504",
        "standardId": standards::TEAM_LEADER,
        "estimatedStartDate": "2025-09-01",
        "estimatedEndDate": "2027-02-28",
        "street": "1 Sample Street",
        "city": "Sampleton",
        "county": "Sampleshire",
        "postcode": "ZZ1 1ZZ",
        "country": "UK",
        "telephoneNumber": "07700 900123",
        "email": "amara@example.org",
        "nationalInsuranceNumber": "QQ123456C",
        "funding": true,
        "additionalNeeds": false,
        "employerName": "Copperfold Ltd (sample)",
        "employerErn": "123456789",
        "employerCompanySize": "Medium (50-249)",
        "employerSectorId": 4,
        "employerSector": "Business and Administration",
        "employerStreet": "2 Sample Street",
        "employerCity": "Sampleton",
        "employerCounty": "Sampleshire",
        "employerCountry": "UK",
        "employerPostcode": "ZZ1 2ZZ",
        "employerEmail": "office@example.org",
        "employerTelephoneNumber": "020 7946 0123",
        "employerContactFirstName": "Bertil",
        "employerContactLastName": "Lowmoor",
        "employerContactPosition": "Manager",
    })
}

/// That creation with these fields replaced; null removes a field.
pub fn but(changes: Value) -> Value {
    let mut body = apprentice();
    let fields = body.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (key, value) in changes {
        if value.is_null() {
            fields.remove(&key);
        } else {
            fields.insert(key, value);
        }
    }
    body
}

pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().map(Map::keys).unwrap().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The keys that the contract gives to a schema.
pub fn contract_keys(schema: &str) -> Vec<&'static str> {
    keys(&Contract::ace360().document()["components"]["schemas"][schema]["properties"])
}
