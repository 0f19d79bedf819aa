-- What is stored about ACE360.

-- A provider's settings. A provider without a row has the defaults.
create table ace360_settings (
    provider_id uuid primary key references providers on delete cascade,
    enabled boolean not null default false,
    -- Links and intents are made in one environment: what was tried in the sandbox is not shown
    -- while the settings say live.
    environment text not null default 'live' check (environment in ('live', 'sandbox')),
    sealed_token bytea,
    daily_enabled boolean not null default true,
    -- Local time in Europe/London.
    daily_at time not null default '05:00',
    -- Counts the writes: the settings' ETag.
    version bigint not null default 1,
    -- When the catalogue, and the list of all records, were last read in full.
    standards_refreshed_at timestamptz,
    mirror_refreshed_at timestamptz,
    -- The end of the last status sync.
    last_synced_at timestamptz,
    -- The outcome of the last call: `ok`, or a problem code.
    connection text,
    connection_at timestamptz,
    updated_at timestamptz not null
);

-- ACE360's catalogue of apprenticeship standards.
create table ace360_standards (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    standard_id bigint not null,
    -- Such as `ST0070/02`.
    st_code text,
    lars_code integer,
    version text,
    -- The pathway.
    option text,
    name text,
    sector_id bigint,
    sector_name text,
    -- The first and the last start date of an apprenticeship.
    valid_from date,
    valid_to date,
    -- Not for new apprentices.
    archived boolean not null default false,
    -- Whether the last refresh added or changed this row.
    changed boolean not null default true,
    -- The beginning of the refresh that saw the row last.
    refreshed_at timestamptz not null,
    primary key (provider_id, environment, standard_id)
);
create index ace360_standards_by_lars on ace360_standards (provider_id, environment, lars_code);

-- Which ACE360 record belongs to a learner, and what ACE360 last said about it. Not sealed: the
-- row holds states, ids, dates and grades, and lists read it without unsealing.
create table ace360_links (
    provider_id uuid not null,
    learner_id text collate "C" not null,
    environment text not null,
    -- ACE360's id.
    record_id bigint not null,
    -- `gone`: ACE360 does not have the record any more.
    state text not null check (state in ('uploaded', 'gone')),
    -- `reconciled`: the answer to the upload was lost, and the record was found later.
    method text not null check (method in ('upload', 'manual', 'matched', 'reconciled')),
    status_id integer,
    status_text text,
    status_read_at timestamptz,
    -- Dates as ACE360 writes them.
    archived_at text,
    archival_status text,
    provisional_grade text,
    overall_grade text,
    grade_date text,
    certificate_claimed_at text,
    -- Grades and dates are only in the single record. When it was last read, and whether it must be
    -- read again because the list showed a change.
    detail_read_at timestamptz,
    detail_wanted boolean not null default true,
    -- The last status run that came to this learner.
    seen_by uuid,
    -- When the learner was uploaded or linked.
    uploaded_at timestamptz not null,
    -- Why the last reading failed. Null: it did not.
    problem_code text,
    sealed_problem bytea,
    primary key (provider_id, learner_id, environment)
);
-- One learner for each record. The record's id comes first: an upload finds the row by the whole
-- key, and a plan made before the table has statistics must not choose to read all of a provider's
-- rows instead.
create unique index ace360_links_by_record on ace360_links (record_id, environment, provider_id);

-- The statuses that a learner's record had, the first reading of each.
create table ace360_history (
    provider_id uuid not null,
    learner_id text collate "C" not null,
    record_id bigint not null,
    read_at timestamptz not null,
    status_id integer,
    status_text text
);
create index ace360_history_of_learner on ace360_history (provider_id, learner_id, read_at);

-- A copy of ACE360's list of records. ACE360 cannot search: an upload looks for duplicates here
-- instead of reading the whole list. No foreign key to providers, as with records.
create table ace360_mirror (
    provider_id uuid not null,
    environment text not null,
    record_id bigint not null,
    -- First name, last name and birth date. Null: the list did not have all three.
    person_index bytea,
    -- The birth date alone: ACE360 may keep a name otherwise than it was sent.
    birth_index bytea,
    standard_id bigint,
    status_id integer,
    status_text text,
    archived boolean not null default false,
    -- Only the single record has the ULN, which never changes: it is read once.
    uln_index bytea,
    uln_read_at timestamptz,
    -- The last run over the whole list that saw the record.
    seen_by uuid,
    refreshed_at timestamptz not null,
    -- When the list first showed the record here.
    first_seen_at timestamptz not null,
    primary key (provider_id, environment, record_id)
);
-- Hash indexes, as of the records' ULNs. The provider's id is part of the HMACs.
create index ace360_mirror_by_person on ace360_mirror using hash (person_index);
create index ace360_mirror_by_birth on ace360_mirror using hash (birth_index);
create index ace360_mirror_by_uln on ace360_mirror using hash (uln_index);
