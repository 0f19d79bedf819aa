//! The operations except `Authentication`, which the gate handles.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use super::fields::{self, Field};
use super::kind::Kind;
use super::record::Record;
use super::references::{self, LEARNER};
use super::world::Desk;
use super::{assign, body, create, lifecycle, search, update};

/// Runs the requested operation.
pub fn answer(desk: &mut Desk, call: &Call, sent: Map<String, Value>) -> Answer {
    match carry_out(desk, call, sent) {
        Ok(answer) => answer,
        Err(message) => Answer::Refused(message),
    }
}

fn carry_out(desk: &mut Desk, call: &Call, sent: Map<String, Value>) -> Result<Answer, String> {
    Ok(match *call {
        Call::Authenticate => Answer::NotFound,
        Call::Customer => {
            Answer::Json(json!({ "ID": desk.books.id, "Name": "Copperfold Training Group (sample)" }))
        }
        Call::Search(kind, page) => {
            let filters = body::typed(sent, fields::filters(kind))?;
            Answer::rows(search::rows(desk.books, desk.settings, kind, &filters, page))
        }
        Call::Get(kind, id) => {
            let record = desk.books.get(kind, id);
            record.map_or(Answer::NotFound, |record| Answer::Json(record.detail(desk.settings)))
        }
        Call::Create(kind) => create::create(desk, kind, body::typed(sent, &taken(kind))?),
        Call::Update(kind, id) => update::update(desk, kind, id, body::typed(sent, &taken(kind))?),
        Call::DeleteUser(id) => lifecycle::delete(desk, id, &body::typed(sent, &taken(Kind::User))?),
        Call::ArchiveUser(id, archived) => {
            lifecycle::archive(desk, id, archived, &body::typed(sent, &taken(Kind::User))?)
        }
        Call::AssignUser(id) => assign::user(desk, id, body::typed(sent, &taken(Kind::Assignment))?),
        Call::AssignStandard { standard, learner } => assign::standard(desk, standard, learner),
        Call::AssignUnit { unit, learner, standard } => assign::unit(desk, unit, learner, standard),
        Call::AssignTemplate { template, learner } => assign::template(desk, template, learner),
        Call::UnitSummaries(user) => match desk.books.user(user, LEARNER) {
            Some(_) => Answer::rows(desk.books.owned(user, Kind::UnitSummary).map(Record::row).collect()),
            None => Answer::NotFound,
        },
        Call::LearnerStatuses(centre) => {
            let statuses = references::learner_statuses(centre);
            of_centre(desk, centre, statuses.map(|(id, name)| json!({ "ID": id, "Name": name })))
        }
        Call::LearningAimStatuses(centre) => {
            let names = ["In progress", "Achieved", "Withdrawn"];
            let statuses = names.iter().enumerate();
            of_centre(desk, centre, statuses.map(|(id, name)| json!({ "ID": id, "Name": name })))
        }
        Call::AssignedStandards(centre) => {
            let standards = desk.books.of_kind(Kind::Standard);
            let here = standards.filter(|standard| standard.centre == centre);
            of_centre(desk, centre, here.map(Record::row))
        }
    })
}

fn of_centre(desk: &Desk, centre: u64, rows: impl Iterator<Item = Value>) -> Answer {
    match desk.books.get(Kind::Organisation, centre) {
        Some(_) => Answer::rows(rows.collect()),
        None => Answer::NotFound,
    }
}

/// The accepted fields of a body. Some clients repeat the id of the path in it.
fn taken(kind: Kind) -> Vec<Field> {
    let id = Field { name: "ID", shape: fields::Shape::Whole, shown: fields::Shown::Never, taken: true };
    fields::of(kind).iter().copied().filter(|field| field.taken).chain([id]).collect()
}
