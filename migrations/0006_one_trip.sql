-- What a person waits for in an upload, in one trip each. As functions and not as one statement each: a statement sees
-- the database as it was when it began, and what stands after a lock must see what was done while it waited for it.

-- Writes an intent down: ours | linked | inFlight | noRecord. From here on the creation may have reached the upstream,
-- whatever becomes of the process: whoever finds the lease run out must look.
create function intent_open(
    in id_ uuid, in provider_ uuid, in upstream_ text, in environment_ text, in subject_kind_ text, in subject_id_ text,
    in step_ text, in lease_token_ uuid, in lease_ interval, in payload_ bytea, in candidates_ bigint[], in run_ uuid,
    in line_ uuid, in actor_ text, in request_ text,
    out came text, out at timestamptz
) language plpgsql as $$
begin
    -- The record's row is what linking, erasing and sending take by turns.
    perform from records where provider_id = provider_ and kind = subject_kind_ and record_id = subject_id_ for update;
    if not found then
        came := 'noRecord';
        return;
    end if;
    if upstream_ = 'ace360' and exists (
        select from ace360_links where provider_id = provider_ and learner_id = subject_id_ and environment = environment_
    ) then
        came := 'linked';
        return;
    end if;
    at := app_now();
    insert into intents (id, provider_id, upstream, environment, subject_kind, subject_id, step, state, lease_token, lease_until,
                         sent_at, deadline_at, sends, sealed_payload, candidates, run_id, requested_by, created_at)
    values (id_, provider_, upstream_, environment_, subject_kind_, subject_id_, step_, 'sending', lease_token_, at + lease_,
            at, at + lease_, 1, payload_, candidates_, run_, actor_, at)
    on conflict (provider_id, upstream, subject_kind, subject_id, step) where state in ('sending', 'unknown') do nothing;
    if not found then
        came := 'inFlight';
        return;
    end if;
    insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id)
    values (line_, provider_, intent_open.at, actor_, 'intent.open', subject_kind_, subject_id_, request_);
    came := 'ours';
end $$;

-- Settles an upload: the intent is done, the learner linked, the change told, and the mirror knows the record, if it does not yet; all of
-- it or nothing. Answers when; null: it was settled already, or the record is another learner's.
create function ace360_settle_uploaded(
    in provider_ uuid, in learner_ text, in environment_ text, in intent_ uuid, in method_ text, in record_ bigint, in status_ integer,
    in words_ text, in archived_at_ text, in archival_status_ text, in provisional_grade_ text, in overall_grade_ text,
    in grade_date_ text, in certificate_claimed_at_ text, in detailed_ boolean, in change_ uuid, in data_ bytea,
    in mirrored_ boolean, in person_ bytea, in standard_ bigint, in archived_ boolean,
    out at timestamptz, out fresh boolean
) language plpgsql as $$
declare
    at_ timestamptz;
    read_at_ timestamptz;
begin
    fresh := false;
    -- Without this lock another upload that opens its intent just now could see neither the link nor the open intent.
    perform from records where provider_id = provider_ and kind = 'learner' and record_id = learner_ for update;
    -- A person settles nothing that is being sent.
    perform from intents where id = intent_ and (state = 'unknown' or state = 'sending' and method_ <> 'manual') for update;
    if not found then
        return;
    end if;
    at_ := app_now();
    read_at_ := case when status_ is not null or words_ is not null then at_ end;
    -- The link goes first: an intent whose record is another learner's is not done.
    insert into ace360_links (provider_id, learner_id, environment, record_id, state, method, status_id, status_text, status_read_at,
                              archived_at, archival_status, provisional_grade, overall_grade, grade_date, certificate_claimed_at,
                              detail_read_at, detail_wanted, uploaded_at)
    values (provider_, learner_, environment_, record_, 'uploaded', method_, status_, words_, read_at_,
            archived_at_, archival_status_, provisional_grade_, overall_grade_, grade_date_, certificate_claimed_at_,
            case when detailed_ then at_ end, not detailed_, at_)
    on conflict do nothing;
    if not found then
        return;
    end if;
    update intents set state = 'done', remote_id = record_, settled_at = at_, next_look_at = null where id = intent_;
    if read_at_ is not null then
        insert into ace360_history (provider_id, learner_id, record_id, read_at, status_id, status_text)
        values (provider_, learner_, record_, at_, status_, words_);
    end if;
    insert into changes (id, provider_id, type, subject_kind, subject_id, at, sealed_data)
    values (change_, provider_, 'ace360.uploaded', 'learner', learner_, at_, data_);
    if mirrored_ then
        insert into ace360_mirror (provider_id, environment, record_id, person_index, standard_id, status_id, status_text, archived,
                                   refreshed_at)
        values (provider_, environment_, record_, person_, standard_, status_, words_, archived_, at_)
        on conflict do nothing;
        fresh := found;
    end if;
    at := at_;
end $$;

-- The records of a person: same name and birth date, or a ULN that is known to be the same: ACE360's, where it was read, or that of a
-- learner here whose record it is. One record at a time from its index, whatever the tables' statistics say: those of a database that is
-- new know nothing, and then each upload would look at all records. Planned once: planning takes longer than the rest.
create function ace360_twins(provider_ uuid, environment_ text, person_ bytea, uln_ bytea)
returns table (record_id bigint, standard_id bigint, status_id integer, status_text text, archived boolean, linked_to text, by_person boolean)
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query
    with found as materialized (
        select m.record_id from ace360_mirror m where m.provider_id = provider_ and m.environment = environment_ and m.person_index = person_
        union
        select m.record_id from ace360_mirror m where m.provider_id = provider_ and m.environment = environment_ and m.uln_index = uln_
        union
        select own.record_id from records r cross join lateral (
            select l.record_id from ace360_links l
            where l.provider_id = r.provider_id and l.learner_id = r.record_id and l.environment = environment_ limit 1
        ) own
        where r.uln_index = uln_ and r.provider_id = provider_ and r.kind = 'learner'
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

-- The record that a record names and that is read along with it: a learner's employer, an organisation's main contact. Null where it was
-- kept before this column was.
alter table records add column refers_to text;

-- A blind index is made with the provider's id: no two providers share one, and half as long a key is found as well.
drop index records_by_uln, records_by_person;
create index records_by_uln on records (uln_index) where uln_index is not null;
create index records_by_person on records (person_index) where person_index is not null;

-- Asked by the provider only, and written with each record.
alter table audit drop constraint audit_pkey;
drop index audit_of_provider;
alter table audit add primary key (provider_id, id);

-- Whom an import's line is about: a line for each record would take as long as half of the records themselves.
alter table audit add column subject_ids text[];

-- Looking up the provider for each record took a third of an import. Whoever writes a record has a token, which has a provider, and
-- providers are never deleted.
alter table records drop constraint records_provider_id_fkey;

-- A function in SQL is parsed and planned in each statement that calls it; one in PL/pgSQL once a connection.
create or replace function app_now() returns timestamptz language plpgsql stable parallel safe
    as $$ begin return clock_timestamp() + (select ahead from clock); end $$;

create or replace function ace360_environment(provider uuid) returns text language plpgsql stable parallel safe
    as $$ begin return coalesce((select environment from ace360_settings where provider_id = provider), 'live'); end $$;
