//! Malformed responses are read as far as possible, and never stop the reading of others.

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::domain::time::london_day;

fn users(body: &Value) -> Page<User> {
    page(body.to_string().as_bytes()).unwrap()
}

fn only<T: Row>(row: &Value) -> (T, Vec<Note>) {
    record(row.to_string().as_bytes()).unwrap()
}

#[test]
fn property_names_count_without_regard_to_case() {
    for row in [
        json!({"ID": 7, "FirstName": "Amara", "LastName": "Penhallow", "MISID": "O-01", "OrganisationID": 3}),
        json!({"id": "7", "firstname": "Amara", "lastName": "Penhallow", "MisId": "O-01", "organisationID": "3"}),
        json!({"Id": 7, "FIRSTNAME": null, "firstName": " Amara ", "LASTNAME": "Penhallow", "misid": "O-01", "organisationid": 3}),
    ] {
        let (user, notes) = only::<User>(&row);
        assert!(notes.is_empty(), "{row}: {notes:?}");
        assert_eq!((user.id.as_str(), user.name().as_deref()), ("7", Some("Amara Penhallow")), "{row}");
        assert_eq!((user.mis_id.as_deref(), user.centre_id.as_deref()), (Some("O-01"), Some("3")), "{row}");
    }
}

#[test]
fn nothing_is_an_empty_page_however_it_is_said() {
    for body in ["", " \r\n", "[]", "null", "[\"\"]", "\u{feff}"] {
        assert!(page::<User>(body.as_bytes()).unwrap().rows.is_empty(), "{body:?}");
    }
    for body in ["{}", "7", "<html>", "[", "\"none\""] {
        assert!(page::<User>(body.as_bytes()).is_err(), "{body:?}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_told_and_the_others_go_on() {
    let page = users(
        &json!([{"ID": 1}, {"FirstName": "nobody"}, 7, {"ID": {}}, {"ID": ""}, {"ID": "a/b"}, {"ID": 2}]),
    );
    let read: Vec<_> = page
        .rows
        .iter()
        .map(|row| row.as_ref().map(|(user, _)| user.id.as_str()).map_err(|fault| fault.index))
        .collect();
    assert_eq!(read, [Ok("1"), Err(1), Err(2), Err(3), Err(4), Err(5), Ok("2")]);
}

#[test]
fn a_value_of_another_type_is_left_out_and_noted_without_its_value() {
    let (user, notes) = only::<User>(
        &json!({"ID": 1, "FirstName": {"a": 1}, "Role": "many", "DOB": 7, "Email": "", "Archived": "TRUE"}),
    );
    assert_eq!(
        (user.first_name, user.role, user.date_of_birth, user.email, user.archived),
        (None, None, None, None, Some(true))
    );
    let fields: Vec<_> = notes.iter().map(|note| note.field).collect();
    assert_eq!(fields, ["FirstName", "Role", "DOB"]);
}

#[test]
fn an_empty_date_is_none_and_progress_may_have_a_percent_sign() {
    let empty = "0001-01-01T00:00:00";
    let (review, notes) =
        only::<Review>(&json!({"ID": 1, "StartedOn": empty, "ScheduledFor": "2026-08-01T08:30:00Z"}));
    assert!(review.started.is_none() && review.scheduled.is_some() && notes.is_empty(), "{notes:?}");
    let (user, notes) = only::<User>(&json!({"ID": 1, "DOB": empty, "Progress": "45%"}));
    assert_eq!((user.date_of_birth, user.progress, notes.len()), (None, Some(45.0), 0), "{notes:?}");
}

#[test]
fn a_placement_without_a_name_is_one() {
    let (placement, notes) = only::<Placement>(&json!({"ID": 9, "Name": null, "MISID": "E-NONAME"}));
    assert_eq!((placement.name, placement.mis_id.as_deref(), notes.len()), (None, Some("E-NONAME"), 0));
}

#[test]
fn learning_aims_and_reviews_are_read_as_far_as_they_go() {
    let (aim, notes) = only::<LearningAim>(&json!({
        "ID": 501, "userid": "7", "StandardID": 901, "Status": "0", "Progress": "42.5", "TotalElements": null,
        "ElementsDone": "several", "RegistrationNumber": 123, "RegistrationDate": "2026-05-31T23:00:00.000Z"
    }));
    assert_eq!((aim.user_id.as_deref(), aim.standard_id.as_deref()), (Some("7"), Some("901")));
    assert_eq!((aim.status, aim.progress, aim.total_elements), (Some(0), Some(42.5), None));
    assert_eq!(aim.registration_number.as_deref(), Some("123"));
    assert_eq!(aim.registered.map(|day| day.to_string()).as_deref(), Some("2026-06-01"), "London's day");
    assert_eq!(notes.iter().map(|note| note.field).collect::<Vec<_>>(), ["ElementsDone"]);
    let (review, notes) = only::<Review>(
        &json!({"ID": "70211", "ScheduledFor": "2026-07-10T08:00:00Z", "StartedOn": null, "LearnerID": 0}),
    );
    assert_eq!((review.started, review.learner_id, notes.len()), (None, None, 0));
    assert_eq!(review.scheduled.map(instant_out).as_deref(), Some("2026-07-10T08:00:00.000Z"));
    let (user, _) = only::<User>(&json!({"ID": 7, "HomeAddress": "2 Mill Lane\nOxford\nOX4 3AB", "L12": 31}));
    assert_eq!(user.home_address.as_deref(), Some("2 Mill Lane\nOxford\nOX4 3AB"));
    assert_eq!(user.ethnicity.as_deref(), Some("31"));
}

#[test]
fn ids_are_numbers_or_texts() {
    for (value, read) in [
        (json!(7), Some("7")),
        (json!(" 7 "), Some("7")),
        (json!("KS_COMM1"), Some("KS_COMM1")),
        (json!(-1), None),
        (json!(1.5), None),
        (json!("../x"), None),
        (json!(true), None),
    ] {
        assert_eq!(reader::id(&value).as_deref(), read, "{value}");
    }
}

#[test]
fn a_birthday_never_moves_by_a_day() {
    for (text, day) in [
        ("2004-05-06T00:00:00.000Z", "2004-05-06"),
        // Midnight of London's summer time, and of its winter time.
        ("2004-05-05T23:00:00.000Z", "2004-05-06"),
        ("2004-01-06T00:00:00Z", "2004-01-06"),
        ("2004-05-06", "2004-05-06"),
        ("2004-05-06T00:00:00", "2004-05-06"),
        ("2004-05-06T00:00:00+01:00", "2004-05-06"),
        // London kept summer time during these winters.
        ("1970-01-15T00:00:00.000Z", "1970-01-15"),
        ("1970-01-14T23:00:00.000Z", "1970-01-15"),
    ] {
        assert_eq!(london_day(text).unwrap().to_string(), day, "{text}");
    }
    for text in ["", "06/05/2004", "0001-01-01T00:00:00Z", "2004-13-01", "soon"] {
        assert_eq!(london_day(text), None, "{text}");
    }
}

#[test]
fn times_of_day_are_londons_when_they_go_out() {
    for (day, at, text) in [
        ("2026-01-10", "09:00", "2026-01-10T09:00:00.000Z"),
        ("2026-07-10", "09:00", "2026-07-10T08:00:00.000Z"),
        ("2026-03-29", "01:30", "2026-03-29T01:30:00.000Z"),
        ("2026-10-25", "01:30", "2026-10-25T00:30:00.000Z"),
    ] {
        let at = chrono::NaiveTime::parse_from_str(at, "%H:%M").unwrap();
        assert_eq!(time_out(day.parse().unwrap(), at), text);
    }
}

#[test]
fn a_session_is_raw_text_or_a_json_string() {
    for body in ["abc+/==", "\"abc+/==\"", " abc+/==\r\n", "\u{feff}abc+/=="] {
        assert_eq!(session(body.as_bytes()).unwrap().expose_secret(), "abc+/==", "{body:?}");
    }
    for body in ["", "\"\"", "<html></html>", "two words", "{\"token\":\"x\"}", "\"open", "x\ny"] {
        assert!(session(body.as_bytes()).is_err(), "{body:?}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = page::<User>(&body);
        let _ = record::<Placement>(&body);
        let _ = session(&body);
    }

    #[test]
    fn a_day_that_goes_out_comes_back(days in 0_i32..109_000) {
        let day = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + chrono::TimeDelta::days(i64::from(days));
        prop_assert_eq!(london_day(&day_out(day)), Some(day));
    }
}
