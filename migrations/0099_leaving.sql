-- Deleted when the creation engine lands.

create function ace360_twins(provider_ uuid, environment_ text, person_ bytea, uln_ bytea)
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

create function intent_open(
    in id_ uuid, in provider_ uuid, in upstream_ text, in environment_ text, in subject_kind_ text, in subject_id_ text,
    in step_ text, in lease_token_ uuid, in lease_ interval, in payload_ bytea, in candidates_ bigint[], in run_ uuid,
    in line_ uuid, in actor_ text, in request_ text, in address_ text,
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
    insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
    values (line_, provider_, intent_open.at, actor_, 'intent.open', subject_kind_, subject_id_, request_, address_);
    came := 'ours';
end $$;

create function ace360_settle_uploaded(
    in provider_ uuid, in learner_ text, in environment_ text, in intent_ uuid, in method_ text, in record_ bigint, in status_ integer,
    in words_ text, in archived_at_ text, in archival_status_ text, in provisional_grade_ text, in overall_grade_ text,
    in grade_date_ text, in certificate_claimed_at_ text, in detailed_ boolean, in change_ uuid, in data_ bytea,
    in mirrored_ boolean, in person_ bytea, in standard_ bigint, in archived_ boolean,
    out at timestamptz, out fresh boolean
) language plpgsql as $$
declare
    at_ timestamptz;
    state_ text;
    read_at_ timestamptz;
begin
    fresh := false;
    -- Without this lock another upload that opens its intent just now could see neither the link nor the open intent.
    perform from records where provider_id = provider_ and kind = 'learner' and record_id = learner_ for update;
    -- A person settles nothing that is being sent.
    select state into state_ from intents where id = intent_ for update;
    if not found or not (state_ = 'unknown' or state_ = 'sending' and method_ <> 'manual') then
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
    if exists (select from ace360_mirror m where m.person_index = person_)
        or exists (select from ace360_mirror m where m.uln_index = uln_)
        or exists (select from records r where r.uln_index = uln_ and exists (
            select from ace360_links l where l.provider_id = r.provider_id and l.learner_id = r.record_id
        )) then
        select jsonb_agg(twin) into twins from ace360_twins(provider_, environment_, person_, uln_) twin;
    end if;
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
