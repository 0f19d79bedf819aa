-- All that we keep about ACE360.
create table ace360_settings (
    provider_id uuid primary key references providers on delete cascade,
    enabled boolean not null default false,
    environment text not null default 'live' check (environment in ('live', 'sandbox')),
    sealed_token bytea,
    daily_enabled boolean not null default true,
    -- Local time of the provider, Europe/London.
    daily_at time not null default '05:00',
    version bigint not null default 1,
    standards_refreshed_at timestamptz,
    mirror_refreshed_at timestamptz,
    last_synced_at timestamptz,
    -- What the last call said of the connection: ok, or a problem code.
    connection text,
    connection_at timestamptz,
    updated_at timestamptz not null
);

-- The environment that a provider's settings name.
create function ace360_environment(provider uuid) returns text
    language sql stable parallel safe
    as $$ select coalesce((select environment from ace360_settings where provider_id = provider), 'live') $$;

create table ace360_standards (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    standard_id bigint not null,
    st_code text,
    lars_code integer,
    version text,
    option text,
    name text,
    sector_id bigint,
    sector_name text,
    valid_from date,
    valid_to date,
    archived boolean not null default false,
    -- Whether the last refresh found it new or other than before.
    changed boolean not null default true,
    refreshed_at timestamptz not null,
    primary key (provider_id, environment, standard_id)
);
create index ace360_standards_by_lars on ace360_standards (provider_id, environment, lars_code);

-- Which ACE360 record is a learner's, and what ACE360 last said of it. Not sealed: states, ids, dates and
-- grades, so that the tab and the lists read one row.
create table ace360_links (
    provider_id uuid not null,
    learner_id text not null,
    environment text not null,
    record_id bigint not null,
    state text not null check (state in ('uploaded', 'gone')),
    method text not null check (method in ('upload', 'manual', 'matched', 'reconciled')),
    status_id integer,
    status_text text,
    status_read_at timestamptz,
    archived_at text,
    archival_status text,
    provisional_grade text,
    overall_grade text,
    grade_date text,
    certificate_claimed_at text,
    -- When the single record was read last: grades and dates are only there; and whether it must be read again,
    -- because the list showed a change.
    detail_read_at timestamptz,
    detail_wanted boolean not null default true,
    -- The status run that saw it last.
    seen_by uuid,
    uploaded_at timestamptz not null,
    problem_code text,
    sealed_problem bytea,
    -- What was tried in the sandbox is out of sight once the settings say live, and the other way round.
    primary key (provider_id, learner_id, environment)
);
create unique index ace360_links_by_record on ace360_links (provider_id, environment, record_id);
create index ace360_links_by_status on ace360_links (provider_id, status_id);

create table ace360_history (
    provider_id uuid not null,
    learner_id text not null,
    record_id bigint not null,
    read_at timestamptz not null,
    status_id integer,
    status_text text
);
create index ace360_history_of_learner on ace360_history (provider_id, learner_id, read_at);

-- A sealed mirror of the records that ACE360 has, for finding duplicates without reading its whole list
-- before each upload. `person_index` is the blind index of name and birth date.
create table ace360_mirror (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    record_id bigint not null,
    person_index bytea,
    standard_id bigint,
    status_id integer,
    status_text text,
    archived boolean not null default false,
    -- Only the single record carries the ULN, and it never changes: it is read once.
    uln_index bytea,
    uln_read_at timestamptz,
    seen_by uuid,
    refreshed_at timestamptz not null,
    primary key (provider_id, environment, record_id)
);
create index ace360_mirror_by_person on ace360_mirror (provider_id, environment, person_index);
create index ace360_mirror_by_uln on ace360_mirror (provider_id, environment, uln_index) where uln_index is not null;
