-- What an upload and an import wait for.

-- The functions that a person waits for are planned once a connection, and those of a new database before anything is known of its
-- tables. Then the planner cannot tell an index of which it has the whole key from one that begins with the provider, and may read
-- all that a provider has. So an index that does not find one row from its whole key does not begin with the provider.

-- Nothing is looked up by status.
drop index ace360_links_by_status;
drop index ace360_links_by_record;
create unique index ace360_links_by_record on ace360_links (record_id, environment, provider_id);
-- A blind index is made with the provider's id: no two providers share one. It has no order that anybody asks for, and in a tree each
-- would go to another leaf: of an import of 10,000 learners the tree of the ULNs took 28 ms, and takes 9 ms hashed.
drop index ace360_mirror_by_person, ace360_mirror_by_uln, records_by_uln;
create index ace360_mirror_by_person on ace360_mirror using hash (person_index);
create index ace360_mirror_by_uln on ace360_mirror using hash (uln_index);
create index records_by_uln on records using hash (uln_index);
-- Nothing is looked up by it: who has whose name is found by the mirror's.
drop index records_by_person;

-- As with records: whoever writes these has a token or a run, which has a provider, and providers are never deleted.
alter table intents drop constraint intents_provider_id_fkey;
alter table changes drop constraint changes_provider_id_fkey;
alter table ace360_mirror drop constraint ace360_mirror_provider_id_fkey;

-- The records of a person: same name and birth date, or a ULN that is known to be the same: ACE360's, where it was read, or that of a
-- learner here whose record it is. The provider is in the blind indexes.
create or replace function ace360_twins(provider_ uuid, environment_ text, person_ bytea, uln_ bytea)
returns table (record_id bigint, standard_id bigint, status_id integer, status_text text, archived boolean, linked_to text, by_person boolean)
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query
    with found as materialized (
        select m.record_id from ace360_mirror m where m.person_index = person_ and m.environment = environment_
        union
        select m.record_id from ace360_mirror m where m.uln_index = uln_ and m.environment = environment_
        union
        select own.record_id from records r cross join lateral (
            select l.record_id from ace360_links l
            where l.provider_id = r.provider_id and l.learner_id = r.record_id and l.environment = environment_ limit 1
        ) own
        where r.uln_index = uln_
    )
    select m.record_id, m.standard_id, m.status_id, m.status_text, m.archived, l.learner_id, coalesce(m.person_index = person_, false)
    from found cross join lateral (
        select * from ace360_mirror a
        where a.provider_id = provider_ and a.environment = environment_ and a.record_id = found.record_id limit 1
    ) m left join lateral (
        select b.learner_id from ace360_links b
        where b.provider_id = provider_ and b.environment = environment_ and b.record_id = found.record_id limit 1
    ) l on true
    order by m.record_id desc;
end $$;

-- What an upload is made of and who has the same name or ULN, and permits for its calls, in one trip. Without permits when no account
-- is given, or when there is no learner (`sealed` is null), it has its record, or an earlier upload is open. One row at a time, each by
-- its whole key: a join takes longer to begin, and may be planned otherwise.
create function ace360_upload_ground(
    in provider_ uuid, in learner_ text, in account_ bytea, in upstream_ text, in per_minute_ integer, in burst_ integer,
    in wanted_ integer, in horizon_ interval,
    out sealed bytea, out linked bigint, out in_flight boolean, out employer_id text, out employer bytea, out contact_id text,
    out contact bytea, out enabled boolean, out environment text, out sealed_token bytea, out daily_enabled boolean,
    out daily_at time, out standards_refreshed_at timestamptz, out mirror_refreshed_at timestamptz,
    out last_synced_at timestamptz, out connection text, out connection_at timestamptz, out version bigint,
    out twins jsonb, out granted integer, out first_wait interval, out step interval, out lead interval
) language plpgsql as $$
#variable_conflict use_column
declare
    person_ bytea;
    uln_ bytea;
    employer_ text;
    contact_ text;
    environment_ text;
    unsynced_ text;
    permits_ record;
begin
    select r.sealed, r.person_index, r.uln_index, r.refers_to into sealed, person_, uln_, employer_
    from records r where r.provider_id = provider_ and r.kind = 'learner' and r.record_id = learner_;
    if not found then
        return;
    end if;
    select s.enabled, s.environment, s.sealed_token, s.daily_enabled, s.daily_at, s.standards_refreshed_at, s.mirror_refreshed_at,
           s.last_synced_at, s.connection, s.connection_at, s.version
    into enabled, environment, sealed_token, daily_enabled, daily_at, standards_refreshed_at, mirror_refreshed_at,
         last_synced_at, connection, connection_at, version
    from ace360_settings s where s.provider_id = provider_;
    environment_ := coalesce(ace360_upload_ground.environment, 'live');
    select l.record_id into linked from ace360_links l
    where l.provider_id = provider_ and l.learner_id = learner_ and l.environment = environment_;
    in_flight := exists (
        select from intents where provider_id = provider_ and upstream = 'ace360' and subject_kind = 'learner' and subject_id = learner_
        and state in ('sending', 'unknown')
    );
    if employer_ is not null then
        select e.record_id, e.sealed, e.refers_to into employer_id, employer, contact_
        from records e where e.provider_id = provider_ and e.kind = 'organisation' and e.record_id = employer_;
    end if;
    if contact_ is not null then
        select c.record_id, c.sealed into contact_id, contact
        from records c where c.provider_id = provider_ and c.kind = 'officer' and c.record_id = contact_;
    end if;
    select jsonb_agg(twin) into twins from ace360_twins(provider_, environment_, person_, uln_) twin;
    if account_ is not null and linked is null and not in_flight then
        -- Not worth waiting for the disk: what a crash of the server forgets is less than the server's restart takes.
        unsynced_ := set_config('synchronous_commit', 'off', true);
        permits_ := pace_take(account_, upstream_, per_minute_, burst_, wanted_, horizon_);
        granted := permits_.granted;
        first_wait := permits_.first_wait;
        step := permits_.step;
        lead := permits_.lead;
    end if;
end $$;

-- Writes many records, and one line of the audit. As if all were new first: `on conflict` looks for each record before it is written,
-- and marks it before and after, which is a quarter of the time. One that is there ends that at once, for in most imports either all
-- are new or most are there.
create function records_put(
    provider_ uuid, kind_ text, ids_ text[], sealed_ bytea[], ulns_ bytea[], people_ bytea[], references_ text[], line_ uuid, actor_ text,
    request_ text
) returns void language plpgsql as $$
declare
    now_ timestamptz := app_now();
begin
    begin
        insert into records (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
        select provider_, kind_, id, sealed, uln, person, reference, now_, now_
        from unnest(ids_, sealed_, ulns_, people_, references_) as new (id, sealed, uln, person, reference);
    exception when unique_violation then
        insert into records (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
        select provider_, kind_, id, sealed, uln, person, reference, now_, now_
        from unnest(ids_, sealed_, ulns_, people_, references_) as new (id, sealed, uln, person, reference)
        on conflict (provider_id, kind, record_id) do update
        set sealed = excluded.sealed, uln_index = excluded.uln_index, person_index = excluded.person_index,
            refers_to = excluded.refers_to, version = records.version + 1, updated_at = excluded.updated_at;
    end;
    insert into audit (id, provider_id, at, actor, action, subject_kind, subject_ids, request_id)
    values (line_, provider_, now_, actor_, 'record.import', kind_, ids_, request_);
end $$;
