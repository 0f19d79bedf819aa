-- All that we keep about OneFile.
create table onefile_settings (
    provider_id uuid primary key references providers on delete cascade,
    enabled boolean not null default false,
    environment text not null default 'live' check (environment in ('live', 'practice', 'beta', 'sandbox')),
    sealed_token bytea,
    upload_reviews boolean not null default false,
    download_reviews boolean not null default false,
    visit_type text not null default 'notSpecified' check (visit_type in ('notSpecified', 'remoteSession', 'faceToFace')),
    -- Roles of learners' officers, as PICSWeb names them.
    additional_assessors text[] not null default '{}',
    classroom_from_main_tag boolean not null default false,
    create_missing_classrooms boolean not null default false,
    default_classroom_id text,
    -- Centre id to classroom id.
    default_classrooms jsonb not null default '{}',
    learner_demographics text not null default 'ignored' check (learner_demographics in ('ignored', 'pushed', 'pulled')),
    officer_demographics text not null default 'ignored' check (officer_demographics in ('ignored', 'pushed', 'pulled')),
    organisation_demographics text not null default 'ignored' check (organisation_demographics in ('ignored', 'pushed', 'pulled')),
    push_changes boolean not null default false,
    desktop_integration text not null default 'never' check (desktop_integration in ('never', 'active', 'off')),
    daily_enabled boolean not null default true,
    -- Local time of the provider, Europe/London.
    daily_at time not null default '05:00',
    full_sweep_days integer not null default 7 check (full_sweep_days between 1 and 31),
    version bigint not null default 1,
    last_synced_at timestamptz,
    -- What the last call said of the connection: ok, or a problem code.
    connection text,
    connection_at timestamptz,
    updated_at timestamptz not null
);

-- OneFile's sessions, one for each account (an HMAC of address and customer token), shared by all processes. Whoever holds
-- the claim authenticates; its end bounds how long the others wait for one that died.
create table onefile_sessions (
    account bytea primary key,
    sealed bytea,
    opened_at timestamptz,
    -- Counts the sessions: one that was answered 401 is renewed once, whoever noticed.
    version bigint not null default 0,
    claim uuid,
    claimed_until timestamptz,
    touched_at timestamptz not null
);

-- What OneFile has that records can be linked to: centres, classrooms, assessors, placements. Names, e-mail addresses and
-- MIS values stand in the sealed document only; `mis_index` is the blind index of the MIS value.
create table onefile_directory (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    kind text not null check (kind in ('centre', 'classroom', 'assessor', 'placement')),
    centre_id text not null,
    remote_id text collate "C" not null,
    role integer,
    archived boolean not null default false,
    mis_index bytea,
    sealed bytea not null,
    refreshed_at timestamptz not null,
    primary key (provider_id, environment, kind, remote_id)
);
create index onefile_directory_by_mis on onefile_directory (provider_id, environment, kind, mis_index) where mis_index is not null;

-- When each part of the directory was read whole, and who is reading it now.
create table onefile_refreshes (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    kind text not null,
    refreshed_at timestamptz,
    -- Rows without an id, which nothing can be linked to.
    unreadable integer not null default 0,
    claim uuid,
    claimed_until timestamptz,
    primary key (provider_id, environment, kind)
);
