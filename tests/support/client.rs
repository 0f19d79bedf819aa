//! A client of the API that checks every response against the served document.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Method, RequestBuilder};
use serde_json::Value;

use super::answer::Answer;
use super::app::PATIENCE;
use super::contract::Contract;
use super::personal;

/// Calls the API, with or without a token.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    token: Option<String>,
    http: Client,
    contract: Arc<Contract>,
}

/// A call that is not sent yet.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: String,
    request: RequestBuilder,
    contract: Arc<Contract>,
}

impl Api {
    pub async fn new(base: &str) -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build().unwrap();
        let contract = Contract::served_at(base, &http).await;
        Self { base: base.to_owned(), token: None, http, contract }
    }

    pub fn as_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    pub fn with_token_of(&self, other: &Self) -> Self {
        Self { token: other.token.clone(), ..self.clone() }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().expect("it has a token")
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    pub fn document(&self) -> &Value {
        self.contract.document()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path).json(body).send().await
    }

    /// A null body means no body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let call = self.call(Method::POST, path);
        if body.is_null() { call.send().await } else { call.json(body).send().await }
    }

    /// A call that can be extended before it is sent.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Call { method, path: path.to_owned(), request, contract: Arc::clone(&self.contract) }
    }

    /// A call with any `Authorization` header.
    pub fn call_with(&self, method: Method, path: &str, authorization: HeaderValue) -> Call {
        let mut call = self.call(method, path);
        call.request = call.request.header(AUTHORIZATION, authorization);
        call
    }

    /// A call to a page for people, which is not in the document.
    pub async fn page(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap()
    }
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Any bytes of any content type. An empty content type means none.
    pub fn body(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        if !content_type.is_empty() {
            self.request = self.request.header(CONTENT_TYPE, content_type);
        }
        self.request = self.request.body(body);
        self
    }

    pub async fn send(self) -> Answer {
        let at = format!("{} {}", self.method, self.path);
        let response = self.request.send().await.unwrap_or_else(|error| panic!("{at}: {error:?}"));
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap_or_else(|error| panic!("{at}: {error:?}"));
        let body = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer { at, status, headers, text, body };
        self.contract.check(self.method.as_str(), &self.path, &answer);
        if answer.status >= 400 {
            personal::check_error(&answer.at, &answer.body);
        }
        answer
    }
}
