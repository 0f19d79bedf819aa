-- The audit as it is read: from where, what was refused, and that nobody changes it.

-- The caller's address, where it can be known.
alter table audit add column address text;
-- The code of the problem that a refused call was answered with; null: it was done.
alter table audit add column refused text;
-- How many calls a line stands for, where it stands for several.
alter table audit add column calls integer not null default 1;

-- Newest first, by each filter. Most lines are of records that were put: whoever looks for those finds them everywhere.
create index audit_by_actor on audit (provider_id, actor, id);
create index audit_by_subject on audit (provider_id, subject_id, id) where subject_id is not null;
create index audit_by_action on audit (provider_id, action, id) where action <> 'record.put';
-- Lines of many subjects; few, and each is looked into.
create index audit_of_many on audit (provider_id, id) where subject_ids is not null;

-- Lines are added, and go when retention says so, which says so for its transaction.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('picsbridge.retention', true) = 'on' then
        return null;
    end if;
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_is_append_only before update or delete or truncate on audit
    for each statement execute function audit_is_append_only();

-- As before, with the address: 0006.
drop function intent_open(uuid, uuid, text, text, text, text, text, uuid, interval, bytea, bigint[], uuid, uuid, text, text);
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

-- As before, with the address: 0011.
drop function records_put(uuid, text, text[], bytea[], bytea[], bytea[], text[], uuid, text, text);
create function records_put(
    provider_ uuid, kind_ text, ids_ text[], sealed_ bytea[], ulns_ bytea[], people_ bytea[], references_ text[], line_ uuid, actor_ text,
    request_ text, address_ text
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
    insert into audit (id, provider_id, at, actor, action, subject_kind, subject_ids, request_id, address)
    values (line_, provider_, now_, actor_, 'record.import', kind_, ids_, request_, address_);
end $$;
