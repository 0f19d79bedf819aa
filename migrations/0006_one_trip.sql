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

-- Settles an upload: the intent is done, the learner linked, the change told; all of it or nothing. Answers when; null:
-- it was settled already, or the record is another learner's.
create function ace360_settle_uploaded(
    provider_ uuid, learner_ text, environment_ text, intent_ uuid, method_ text, record_ bigint, status_ integer, words_ text,
    archived_at_ text, archival_status_ text, provisional_grade_ text, overall_grade_ text, grade_date_ text,
    certificate_claimed_at_ text, detailed_ boolean, change_ uuid, data_ bytea
) returns timestamptz language plpgsql as $$
declare
    at_ timestamptz;
    read_at_ timestamptz;
begin
    -- Without this lock another upload that opens its intent just now could see neither the link nor the open intent.
    perform from records where provider_id = provider_ and kind = 'learner' and record_id = learner_ for update;
    -- A person settles nothing that is being sent.
    perform from intents where id = intent_ and (state = 'unknown' or state = 'sending' and method_ <> 'manual') for update;
    if not found then
        return null;
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
        return null;
    end if;
    update intents set state = 'done', remote_id = record_, settled_at = at_, next_look_at = null where id = intent_;
    if read_at_ is not null then
        insert into ace360_history (provider_id, learner_id, record_id, read_at, status_id, status_text)
        values (provider_, learner_, record_, at_, status_, words_);
    end if;
    insert into changes (id, provider_id, type, subject_kind, subject_id, at, sealed_data)
    values (change_, provider_, 'ace360.uploaded', 'learner', learner_, at_, data_);
    return at_;
end $$;

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
