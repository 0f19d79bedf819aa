//! Malformed responses are read as far as possible, and never end a sync.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::upstream::message::error_message;

fn read(row: &serde_json::Value) -> (Apprentice, Vec<Note>) {
    record(row.to_string().as_bytes()).unwrap()
}

#[test]
fn the_documented_page() {
    let body = json!({"total": 2, "currentPage": 1, "perPage": 10, "totalPages": 1, "data": [
        {"id": 249, "firstName": "Lucy", "lastName": "Example", "dateOfBirth": "2004-05-06", "standardId": 204,
         "status": {"id": 3, "text": "Gateway Evidence Complete"}, "estimatedStartDate": "2023-10-01",
         "estimatedEndDate": "2025-10-01", "esfaCertificateClaimedAt": null,
         "createdAt": "2023-10-23 07:08:38", "archivedAt": null},
        {"firstName": "No id"}, 7, {"id": "248"}, {"id": 0}, {"id": 1.5}
    ]});
    let page: ApprenticePage = page(body.to_string().as_bytes()).unwrap();
    assert_eq!(
        (page.total, page.current_page, page.per_page, page.total_pages),
        (Some(2), Some(1), Some(10), Some(1))
    );
    let (first, notes) = page.data[0].as_ref().unwrap();
    assert_eq!(first.status, Some(Status { id: Some(3), text: Some("Gateway Evidence Complete".into()) }));
    assert_eq!(first.created_at.unwrap().to_string(), "2023-10-23 07:08:38");
    assert!(!first.archived && first.uln_number.is_none() && notes.is_empty());
    assert_eq!(page.data[3].as_ref().unwrap().0.id, 248);
    for index in [1, 2, 4, 5] {
        assert_eq!(page.data[index].as_ref().unwrap_err().index, index);
    }
}

#[test]
fn other_envelopes() {
    let bare: ApprenticePage = page(b"[{\"id\":1}]").unwrap();
    assert_eq!((bare.data.len(), bare.total), (1, None));
    let laravel: ApprenticePage =
        page(br#"{"data":[],"meta":{"total":"7","current_page":2,"per_page":-1,"last_page":3}}"#).unwrap();
    let counts = (laravel.total, laravel.current_page, laravel.per_page, laravel.total_pages);
    assert_eq!(counts, (Some(7), Some(2), None, Some(3)));
    for body in ["", "{}", "7", "{\"data\":{}}", "<html>", "{\"data\":null}"] {
        assert!(page::<Apprentice>(body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(record::<Apprentice>(br#"{"data":{"id":5}}"#).unwrap().0.id, 5);
    assert!(record::<Apprentice>(b"{}").is_err());
}

#[test]
fn what_is_odd_is_left_out_and_noted_without_its_value() {
    let (apprentice, notes) = read(&json!({
        "id": "7", "firstName": ["Secret"], "lastName": "  ", "ulnNumber": 1_000_102_504, "dateOfBirth": "06/05/2004",
        "standardId": "x", "status": {"id": "eleven", "text": "Something new"}, "estimatedStartDate":
        "2023-10-01T00:00:00Z", "estimatedEndDate": "", "createdAt": "2023-10-23T07:08:38.000000Z",
        "archivedAt": true, "epaOverallGrade": "pass", "esfaCertificateClaimedAt": "2024-01-01"
    }));
    assert_eq!(apprentice.uln_number.as_deref(), Some("1000102504"));
    assert_eq!(apprentice.status.unwrap(), Status { id: None, text: Some("Something new".into()) });
    assert_eq!(apprentice.estimated_start_date.unwrap().to_string(), "2023-10-01");
    assert_eq!(apprentice.certificate_claimed_at.unwrap().to_string(), "2024-01-01 00:00:00");
    assert!(apprentice.archived && apprentice.archived_at.is_none() && apprentice.created_at.is_some());
    let noted: Vec<_> = notes.iter().map(|note| note.field.as_str()).collect();
    assert_eq!(noted, ["status.id", "firstName", "dateOfBirth", "standardId", "archivedAt"]);
    assert!(!format!("{notes:?}").contains("Secret"));
}

#[test]
fn statuses() {
    for (status, id, text) in [
        (json!({"id": 42, "text": "New"}), Some(42), Some("New")),
        (json!({"id": "3"}), Some(3), None),
        (json!("EPA Passed"), None, Some("EPA Passed")),
        (json!(9), Some(9), None),
        (json!({}), None, None),
        (json!(null), None, None),
        (json!([]), None, None),
    ] {
        let found = read(&json!({"id": 1, "status": status})).0.status.unwrap_or_default();
        assert_eq!((found.id, found.text.as_deref()), (id, text), "{status}");
    }
}

#[test]
fn standards() {
    let body = json!([
        {"id": 204, "stCode": "ST0353/02", "name": "Accident Repair Technician", "sector": {"id": 1, "name":
         "Engineering"}, "datePublished": "2020-01-01", "endDate": "2023-06-30", "archived": 0, "larsCode": " 54 ",
         "courseOption": "Technologist", "version": 2, "highestGrade": "merit"},
        {"id": 205, "larsCode": 54, "sector": "x"}, {"id": 206, "larsCode": "n/a", "archived": "true"}
    ]);
    let page: StandardPage = page(body.to_string().as_bytes()).unwrap();
    let rows: Vec<Standard> = page.data.into_iter().map(|row| row.unwrap().0).collect();
    assert_eq!(
        (rows[0].lars_code, rows[0].version.as_deref(), rows[0].archived),
        (Some(54), Some("2"), false)
    );
    assert_eq!((rows[0].sector_id, rows[1].sector_id, rows[1].lars_code), (Some(1), None, Some(54)));
    assert_eq!((rows[2].lars_code, rows[2].archived), (None, true));
    let day = |text: &str| text.parse().unwrap();
    assert!(rows[0].valid_at(day("2020-01-01")) && rows[0].valid_at(day("2023-06-30")));
    assert!(!rows[0].valid_at(day("2019-12-31")) && !rows[0].valid_at(day("2023-07-01")));
    assert!(rows[1].valid_at(day("1990-01-01")));
}

/// Content type and body; message and field errors.
type Case =
    (Option<&'static str>, &'static [u8], Option<&'static str>, &'static [(&'static str, &'static str)]);

#[test]
fn error_bodies() {
    let laravel = br#"{"message":"The given data was invalid.","errors":{"ulnNumber":["is taken","is odd"],"email":"no","x":7}}"#;
    let cases: [Case; 10] = [
        (
            Some("application/json"),
            laravel,
            Some("The given data was invalid."),
            &[("ulnNumber", "is taken"), ("ulnNumber", "is odd"), ("email", "no")],
        ),
        (None, br#"{"error":"No credit left"}"#, Some("No credit left"), &[]),
        (None, br#"{"error":{"message":"No credit left"}}"#, Some("No credit left"), &[]),
        (None, br#"{"errors":[{"field":"a","message":"b"},"c"]}"#, None, &[("a", "b"), ("", "c")]),
        (None, br#""Just text""#, Some("Just text"), &[]),
        (Some("text/plain"), b"Too\nbad", Some("Too bad"), &[]),
        (Some("text/html; charset=utf-8"), b"Whoops", None, &[]),
        (None, b" <!DOCTYPE html><p>Whoops", None, &[]),
        (None, b"", None, &[]),
        (None, b"{}", None, &[]),
    ];
    for (kind, body, message, fields) in cases {
        let read = error_message(422, kind, body);
        let found: Vec<_> = read.field_errors.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            (read.message.as_deref(), found.as_slice()),
            (message, fields),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    assert!(error_message(500, None, "x".repeat(10_000).as_bytes()).message.unwrap().chars().count() <= 501);
    assert!(error_message(500, None, &[0xff, 0xfe]).message.is_some());
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,40}") {
        let _ = page::<Apprentice>(&body);
        let _ = error_message(500, None, &body);
        let odd = json!({"id": 1, "createdAt": text, "dateOfBirth": text, "standardId": text, "status": text});
        prop_assert_eq!(read(&odd).0.id, 1);
    }
}
