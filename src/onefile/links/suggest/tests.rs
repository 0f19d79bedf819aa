//! Tests of the suggestion rules, as tables.

use std::borrow::Cow;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

fn local<'a>(id: &'a str, name: &'a str) -> Local<'a> {
    Local { id, ident: None, held_id: None, name: Cow::Borrowed(name), email: None, uln: None, born: None }
}

fn remote<'a>(id: &'a str, name: &'a str) -> Remote<'a> {
    Remote {
        id,
        centre_id: "1",
        name: Cow::Borrowed(name),
        mis_id: None,
        email: None,
        uln: None,
        born: None,
        archived: false,
    }
}

fn of(kind: LinkKind, locals: &[Local<'_>], remotes: &[Remote<'_>], linked: &[Existing<'_>]) -> Suggestions {
    let several_centres = remotes.iter().any(|remote| remote.centre_id != "1");
    suggest(&SuggestInput { kind, locals, remotes, linked, several_centres })
}

fn officers(locals: &[Local<'_>], remotes: &[Remote<'_>]) -> Suggestions {
    of(LinkKind::Officer, locals, remotes, &[])
}

/// A short form such as `O-1=11 O-2?21,22 O-3-`: proposed (with `!` if certain), ambiguous,
/// unmatched.
fn short(found: &Suggestions) -> String {
    let proposed = found
        .suggestions
        .iter()
        .map(|it| format!("{}={}{}", it.local_id, it.remote_id, if it.certain { "!" } else { "" }));
    let ambiguous = found.ambiguous.iter().map(|it| {
        let ids: Vec<_> = it.candidates.iter().map(|candidate| candidate.remote_id.as_str()).collect();
        format!("{}?{}", it.local_id, ids.join(","))
    });
    let unmatched = found.unmatched.iter().map(|it| format!("{}-", it.local_id));
    proposed.chain(ambiguous).chain(unmatched).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_reason_has_its_score_and_only_ids_are_certain() {
    let mut ours = local("O-17", "Sam Okoro");
    (ours.ident, ours.held_id, ours.email) = (Some("SOK"), Some("117"), Some("sam@acme.example"));
    for (theirs, score, certain, code) in [
        (remote("117", "Other Person"), 100, true, ReasonCode::HeldId),
        (
            Remote { mis_id: Some(" sok "), ..remote("9", "Other Person") },
            99,
            true,
            ReasonCode::MisValueIsIdent,
        ),
        (Remote { mis_id: Some("o-17"), ..remote("9", "Other Person") }, 97, false, ReasonCode::MisValueIsId),
        (Remote { mis_id: Some("o-17"), ..remote("9", "Sam Okoro") }, 98, true, ReasonCode::MisValueIsId),
        (
            Remote { email: Some("SAM@acme.example"), ..remote("9", "Sam Okoro") },
            95,
            false,
            ReasonCode::Email,
        ),
        (Remote { email: Some("sam@acme.example"), ..remote("9", "Else") }, 75, false, ReasonCode::Email),
        (remote("9", "OKORO, Sam"), 85, false, ReasonCode::Name),
        (remote("9", "Sam Okorro"), 76, false, ReasonCode::NearName),
    ] {
        let found = officers(std::slice::from_ref(&ours), &[theirs]);
        let [it] = found.suggestions.as_slice() else { panic!("{code:?}: {}", short(&found)) };
        assert_eq!((it.score, it.certain, it.reasons[0].code), (score, certain, code));
    }
    assert_eq!(short(&officers(&[ours], &[remote("9", "Somebody Else"), remote("10", "")])), "O-17-");
}

#[test]
fn what_fits_equally_well_is_not_proposed() {
    let (a, b) = (local("A", "John Smith"), local("B", "SMITH John"));
    for (locals, remotes, expected) in [
        (vec![a.clone()], vec![remote("1", "John Smith"), remote("2", "john smith")], "A?1,2"),
        (vec![a.clone(), b.clone()], vec![remote("1", "John Smith")], "A?1 B?1"),
        // The weaker claim does not win what stronger claims could not settle.
        (vec![a.clone(), b.clone(), local("C", "Jon Smith")], vec![remote("1", "John Smith")], "A?1 B?1 C?1"),
        // A stronger claim wins, and the weaker one continues with the next match.
        (vec![a.clone(), local("C", "Jon Smith")], vec![remote("1", "John Smith")], "A=1 C-"),
        (
            vec![a.clone(), local("C", "Jon Smith")],
            vec![remote("1", "John Smith"), remote("2", "Jon Smithe")],
            "A=1 C=2",
        ),
        // Two similar names, one of which is clearly more similar.
        (
            vec![local("C", "Jonathan Smith")],
            vec![remote("1", "Jonathan Smiht"), remote("2", "Jo Smith")],
            "C=1",
        ),
    ] {
        assert_eq!(short(&officers(&locals, &remotes)), expected);
    }
    let found = officers(&[a, b], &[remote("1", "John Smith")]);
    assert_eq!(found.ambiguous[0].why, AmbiguousBecause::SeveralLocals);
    assert_eq!(found.ambiguous[0].rivals, ["B"]);
}

#[test]
fn ids_that_contradict_each_other_are_for_a_person() {
    let held = Local { held_id: Some("1"), ..local("A", "John Smith") };
    let by_mis = Remote { mis_id: Some("A"), ..remote("2", "John Smith") };
    assert_eq!(
        short(&officers(std::slice::from_ref(&held), &[remote("1", "John Smith"), by_mis.clone()])),
        "A?1,2"
    );
    let rival = Local { ident: Some("a"), ..local("B", "Jane Jones") };
    let found = officers(&[local("A", "John Smith"), rival], &[by_mis]);
    assert_eq!(short(&found), "A?2 B?2");
    // The id that PICSWeb holds belongs to another record already.
    let linked = [Existing { local_id: "B", centre_id: "1", remote_id: "1" }];
    let remotes = [remote("1", "John Smith"), remote("2", "John Smith")];
    let found = of(LinkKind::Officer, &[held], &remotes, &linked);
    assert_eq!(short(&found), "A=2");
    assert!(found.suggestions[0].caution.as_ref().unwrap().contains("Other System ID"));
}

#[test]
fn what_is_linked_is_never_proposed_and_never_asked_about() {
    let linked = [Existing { local_id: "A", centre_id: "1", remote_id: "1" }];
    let locals = [local("A", "John Smith"), local("B", "John Smith"), local("C", "John Smith")];
    let found = of(LinkKind::Officer, &locals[..2], &[remote("1", "John Smith")], &linked);
    assert_eq!(short(&found), "B-");
    let twice = [remote("1", "John Smith"), remote("2", "John Smith"), remote("2", "John Smith")];
    assert_eq!(short(&of(LinkKind::Officer, &locals[..2], &twice, &linked)), "B=2");
}

#[test]
fn archived_ones_only_when_nothing_live_fits() {
    let old = Remote { archived: true, mis_id: Some("A"), ..remote("1", "John Smith") };
    let found = officers(&[local("A", "John Smith")], std::slice::from_ref(&old));
    assert_eq!(short(&found), "A=1!");
    assert!(found.suggestions[0].archived);
    assert!(found.suggestions[0].caution.as_ref().unwrap().contains("archived"));
    let found = officers(&[local("A", "John Smith")], &[old.clone(), remote("2", "Jon Smith")]);
    assert_eq!(short(&found), "A=2");
    assert!(found.suggestions[0].caution.as_ref().unwrap().contains("assessor 1 has"), "{found:?}");
    let live = Remote { mis_id: Some("A"), ..remote("2", "John Smith") };
    assert_eq!(short(&officers(&[local("A", "John Smith")], &[old, live])), "A=2!");
}

#[test]
fn with_several_centres_the_mis_value_decides_in_each() {
    let north = |remote: Remote<'static>| Remote { centre_id: "2", ..remote };
    let ours = [Local { ident: Some("O-01"), email: Some("a@b.example"), ..local("A", "Amara Ashdown") }];
    let main = Remote { mis_id: Some("O-01"), ..remote("1", "Amara Ashdown") };
    let there = north(Remote { mis_id: Some("o-01"), ..remote("2", "A Ashdown") });
    assert_eq!(short(&officers(&ours, &[main.clone(), there])), "A=1! A=2!");
    let like = north(Remote { email: Some("a@b.example"), ..remote("2", "Amara Ashdown") });
    let found = officers(&ours, &[main.clone(), like]);
    assert_eq!(short(&found), "A=1! A?2");
    assert_eq!(found.ambiguous[0].why, AmbiguousBecause::MisValueNeeded);
    // A learner has one user, so two users with a proof are one too many.
    let users = [main, north(Remote { mis_id: Some("A"), ..remote("2", "Amara Ashdown") })];
    assert_eq!(short(&of(LinkKind::Learner, &ours, &users, &[])), "A?1,2");
}

#[test]
fn two_people_of_one_name_are_two() {
    let day = |day| NaiveDate::from_ymd_opt(2005, 3, day);
    let ours = Local { uln: Some("1000102504"), born: day(14), ..local("L-1", "Lucy Example") };
    for (theirs, expected) in [
        (Remote { born: day(15), ..remote("1", "Lucy Example") }, "L-1-"),
        (Remote { uln: Some("1000102512"), ..remote("1", "Lucy Example") }, "L-1-"),
        (Remote { uln: Some("9999999999"), born: day(14), ..remote("1", "Lucy Example") }, "L-1=1"),
        (Remote { uln: Some("1000102504"), ..remote("1", "Lucy Married") }, "L-1=1"),
    ] {
        assert_eq!(short(&of(LinkKind::Learner, std::slice::from_ref(&ours), &[theirs], &[])), expected);
    }
    let two = [Remote { born: day(14), ..remote("1", "Lucy Example") }, remote("2", "Lucy Example")];
    assert_eq!(short(&of(LinkKind::Learner, &[ours], &two, &[])), "L-1=1");
}

#[test]
fn placements_are_compared_as_companies() {
    let ours = [
        local("LARK", "Larkrise Services"),
        local("CAFE", "Cafe Zoe and Son (Sample)"),
        local("T", "Tideway Group"),
    ];
    let theirs = [
        remote("1", "Larkrise Services Ltd"),
        remote("2", " Larkrise  Services Ltd. "),
        remote("3", "Larkrise Services (Oxford)"),
        remote("4", "Café Zoë & Søn (sample)"),
        remote("5", "The Tideway Group"),
        remote("6", ""),
    ];
    let found = of(LinkKind::Organisation, &ours, &theirs, &[]);
    assert_eq!(short(&found), "CAFE=4 T=5 LARK?1,2");
}

#[test]
fn a_thousand_of_one_name_are_one_question_each() {
    let ids: Vec<String> = (0..1_000).map(|id| id.to_string()).collect();
    let locals: Vec<_> = ids.iter().map(|id| local(id, "John Smith")).collect();
    let remotes: Vec<_> = ids.iter().map(|id| remote(id, "John Smith")).collect();
    let found = officers(&locals, &remotes);
    assert_eq!(found.counts.ambiguous, 1_000);
    assert!(found.ambiguous.iter().all(|it| it.candidates.len() == 10 && it.rivals.len() <= 10));
}

proptest! {
    #[test]
    fn every_remote_at_most_once_and_every_local_accounted_for(
        ours in prop::collection::vec(("[ABC] [xyz]{1,2}", prop::option::of("[1-4]"), prop::option::of("[abc]")), 0..12),
        theirs in prop::collection::vec(
            ("[ABC] [xyz]{1,2}", prop::option::of("[0-9a-c]"), prop::option::of("[abc]"), any::<bool>(), 1_u8..3), 0..12),
        linked in prop::collection::vec((0_usize..12, 0_usize..12), 0..3),
    ) {
        let ids: Vec<String> = (0..12).map(|id| id.to_string()).collect();
        let locals: Vec<_> = ours.iter().zip(&ids).map(|((name, held, email), id)| {
            Local { held_id: held.as_deref(), email: email.as_deref(), ..local(id, name) }
        }).collect();
        let centres = ["1", "2"];
        for most in [1, 2] {
            let remotes: Vec<_> = theirs.iter().zip(&ids).map(|((name, mis, email, archived, centre), id)| {
                let centre_id = centres[usize::from(*centre.min(&most)) - 1];
                Remote { mis_id: mis.as_deref(), email: email.as_deref(), archived: *archived, centre_id, ..remote(id, name) }
            }).collect();
            let existing: Vec<_> = linked.iter()
                .map(|(ours, theirs)| Existing { local_id: &ids[*ours], centre_id: "1", remote_id: &ids[*theirs] }).collect();
            for kind in [LinkKind::Officer, LinkKind::Organisation, LinkKind::Learner] {
                let found = of(kind, &locals, &remotes, &existing);
                let mut met = std::collections::HashSet::new();
                for it in &found.suggestions {
                    prop_assert!(met.insert(&it.remote_id), "twice: {}", it.remote_id);
                    prop_assert!(existing.iter().all(|link| link.remote_id != it.remote_id));
                    prop_assert_eq!(it.certain, it.score >= 98);
                    prop_assert!(it.score <= 100 && !it.reasons.is_empty());
                }
                for local in &locals {
                    let known = found.suggestions.iter().any(|it| it.local_id == local.id)
                        || found.ambiguous.iter().any(|it| it.local_id == local.id)
                        || existing.iter().any(|it| it.local_id == local.id);
                    prop_assert_eq!(found.unmatched.iter().any(|it| it.local_id == local.id), !known);
                }
                prop_assert_eq!(found.counts.certain + found.counts.to_confirm, found.suggestions.len());
            }
        }
    }
}
