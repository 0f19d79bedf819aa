//! The classroom: by the Main Tag, else the centre's default.

use super::draft::Draft;
use crate::onefile::create::find::same_text;
use crate::onefile::create::report::{ClassroomState, PlannedClassroom};

impl Draft<'_> {
    pub(super) fn classroom(&mut self, centre: &str) -> Option<PlannedClassroom> {
        let choices = &self.context.choices;
        let rooms =
            || self.context.classrooms.iter().filter(|room| room.centre_id == centre && !room.archived);
        let tag = self.context.learner.main_tag.as_deref().map(str::trim).filter(|tag| !tag.is_empty());
        if choices.classroom_from_main_tag {
            let named = tag.and_then(|tag| rooms().find(|room| same_text(room.labels.name.as_deref(), tag)));
            if let Some(room) = named {
                return Some(PlannedClassroom {
                    name: room.labels.name.clone(),
                    remote_id: Some(room.remote_id.clone()),
                    state: ClassroomState::Found,
                    source: "Learner > Main Tag".to_owned(),
                });
            }
            match tag {
                Some(tag) if choices.create_missing_classrooms => {
                    return Some(PlannedClassroom {
                        name: Some(tag.to_owned()),
                        remote_id: None,
                        state: ClassroomState::Create,
                        source: "Learner > Main Tag".to_owned(),
                    });
                }
                Some(tag) => self.warn(
                    "ClassroomID",
                    format!("OneFile's centre has no classroom of the Main Tag's name ({tag}): the default is taken."),
                ),
                None => self.warn("ClassroomID", "The learner has no Main Tag: the default classroom is taken."),
            }
        }
        let only = self.context.centres.len() == 1;
        let default = choices.default_classrooms.get(centre);
        let default = default.or_else(|| choices.default_classroom_id.as_ref().filter(|_| only));
        let Some(default) = default else {
            let message = format!(
                "OneFile demands a classroom: choose a default for centre {centre} (PUT /onefile/settings with `defaultClassrooms`)."
            );
            self.missing("ClassroomID", "/mainTag", message);
            return None;
        };
        let Some(room) = rooms().find(|room| room.remote_id == *default) else {
            let message = format!(
                "The default classroom {default} is not in OneFile's centre {centre}, or is archived: choose another (PUT /onefile/settings)."
            );
            self.missing("ClassroomID", "/mainTag", message);
            return None;
        };
        Some(PlannedClassroom {
            name: room.labels.name.clone(),
            remote_id: Some(room.remote_id.clone()),
            state: ClassroomState::Found,
            source: "Settings > default classroom".to_owned(),
        })
    }
}
